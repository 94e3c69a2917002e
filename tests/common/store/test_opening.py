"""Real processes that open an empty store at the same moment."""

import os
import subprocess
import sys

from mlflow import MlflowClient

from tests.project import ROOT

# A step that waits after its modules are loaded.
STEP = """
import sys
from common.store.step_run import start_run
print("ready", flush=True)
sys.stdin.readline()
with start_run("load_data"):
    pass
"""


def test_steps_that_start_at_once_on_an_empty_store_all_end_well(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(ROOT)}
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        environment.pop(name, None)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", STEP]
    processes = [
        subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, error = process.communicate()
        assert process.returncode == 0, error
    found = MlflowClient(uri).search_runs(["0"])
    assert [run.info.status for run in found] == ["FINISHED"] * 2
