"""What a step says, and leaves in the store, when Spark's JVM is killed beneath it."""

import os
import subprocess
import sys

import pytest
from mlflow import MlflowClient
from pyspark import SparkContext

from common import ROOT
from common.machine.lost_jvm import lost_jvm, was_interrupted

STEP = """
import os, signal
import click
from pyspark import SparkContext
from common.machine.spark import get_session
from common.store.step_run import start_run
from steps.plain_command import plain_command

@plain_command("doomed")
def doomed():
    with start_run("doomed"):
        session = get_session()
        os.kill(SparkContext._gateway.proc.pid, signal.SIGKILL)
        session.range(1).count()

doomed()
"""


def test_step_whose_jvm_is_killed_says_so_in_one_line_and_its_run_has_failed(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    others = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment = {**others, "MLFLOW_TRACKING_URI": uri}
    done = subprocess.run(
        [sys.executable, "-c", STEP],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Error: Spark's Java was killed, as a system does that runs out of memory" in done.stderr
    assert "Traceback" not in done.stderr
    client = MlflowClient(uri)
    runs = client.search_runs([one.experiment_id for one in client.search_experiments()])
    assert [run.info.status for run in runs] == ["FAILED"]


def test_work_that_fails_while_it_is_being_interrupted_was_interrupted():
    def work():
        try:
            raise KeyboardInterrupt
        finally:
            raise ConnectionRefusedError("Spark has ended before")

    with pytest.raises(ConnectionRefusedError) as failed:
        work()
    assert was_interrupted(failed.value)
    assert not was_interrupted(ConnectionRefusedError("by itself"))


def test_error_of_another_kind_or_beside_a_living_jvm_is_left_alone(spark):
    assert lost_jvm(ValueError("of the data")) is None
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO") as failed:
        spark.sql("select 1 / 0").collect()
    assert lost_jvm(failed.value) is None
    # Such as that of a store which does not answer.
    assert lost_jvm(ConnectionRefusedError("of another server")) is None
    assert SparkContext._active_spark_context is not None
