"""Run the steps on the cluster of SPARK_MASTER, for test_cluster; print their output.

First without the folder that the argument names, then with it.
"""

import json
import os
import sys

import mlflow
from click.testing import CliRunner

from common.store import tracking
from steps.featurize import featurize
from steps.load_data import load_data
from steps.split import split


def main(source, shared):
    experiment = os.environ["MLFLOW_EXPERIMENT_ID"]
    refused = CliRunner().invoke(load_data, ["--source", source])
    os.environ["MLFLOW_DFS_TMP"] = shared
    kept, given = {}, ["--source", source]
    for command, name in ((load_data, "--data"), (split, "--split"), (featurize, "")):
        done = CliRunner().invoke(command, given)
        assert done.exit_code == 0, done.output
        (run,) = tracking.find_finished({tracking.STEP: command.name}, experiment)
        kept[command.name] = run.info.run_id
        given = [name, f"runs:/{run.info.run_id}" + ("/data" if command is load_data else "")]
    print(json.dumps({"refused": [refused.exit_code, refused.stderr], "kept": kept}))


if __name__ == "__main__":
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    main(*sys.argv[1:])
