"""Searches whose processes are killed, and the same command again."""

import os
import subprocess
import sys
from io import StringIO

import mlflow
import pandas as pd
import pytest
from click.testing import CliRunner

from common.store import artifacts, tracking
from common.store.candidate_runs import TAKEN_FROM
from steps.featurize import featurize
from steps.load_data import load_data
from steps.split import split
from tests.held_search import HELD, WRITTEN
from tests.project import ROOT

GRID = '{"maxDepth": [1, 2], "maxBins": [8, 16], "stepSize": [0.2, 0.3], "maxIter": [2]}'
SPACE = '{"maxDepth": {"low": 1, "high": 3}, "maxIter": {"low": 1, "high": 9}}'
SEARCHES = {
    "train_grid": ["--grid", GRID, "--engine", "mllib", "--parallelism", "1"],
    "train_ga": ["--space", SPACE, "--generations", "8", "--population", "5", "--patience", "8"],
}


@pytest.fixture
def features(store, slice_file, spark):
    """URI of the features of a slice in a new store."""
    for command, arguments in (
        (load_data, ["--source", str(slice_file)]),
        (split, ["--source", str(slice_file)]),
        (featurize, ["--source", str(slice_file)]),
    ):
        if command is not load_data:
            before = {split: ("data", load_data, "/data"), featurize: ("split", split, "")}[command]
            name, upstream, artifact = before
            (run,) = tracking.find_finished({tracking.STEP: upstream.name}, store)
            arguments = [*arguments, f"--{name}", f"runs:/{run.info.run_id}{artifact}"]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
    (run,) = tracking.find_finished({tracking.STEP: "featurize"}, store)
    return f"runs:/{run.info.run_id}"


def start(command, step, features, store):
    environment = {
        **os.environ,
        "MLFLOW_EXPERIMENT_ID": store,
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        "PYTHONUNBUFFERED": "1",
    }
    options = ["--features", features, "--folds", "2", *SEARCHES[step]]
    return subprocess.Popen(
        [sys.executable, "-m", *command, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(step, features, store):
    """Run a search to its end; return its output and its run."""
    process = start([f"steps.{step}"], step, features, store)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output, tracking.find_finished({tracking.STEP: step}, store)[0]


def table(run, name):
    text = artifacts.read_text(f"runs:/{run.info.run_id}/{name}")
    return pd.read_csv(StringIO(text)).drop(columns="fit_seconds", errors="ignore")


@pytest.mark.slow
@pytest.mark.parametrize("step", SEARCHES)
def test_killed_search_goes_on_where_it_was_and_finds_the_same(features, store, step):
    killed = start(["tests.held_search", step], step, features, store)
    assert HELD in killed.stdout
    killed.kill()
    killed.communicate()
    client = mlflow.MlflowClient()
    (dead,) = client.search_runs([store], f"tags.`{tracking.STEP}` = '{step}'")
    assert dead.info.status == "RUNNING"

    output, resumed = finish(step, features, store)
    taken = int(output.split("reusing ")[1].split(" ")[0])
    assert taken == WRITTEN
    assert client.get_run(dead.info.run_id).info.status == "KILLED"
    assert client.search_runs([store], "attributes.status = 'RUNNING'") == []
    candidates = [
        run
        for run in client.search_runs([store], f"tags.`{tracking.SEARCH}` = '{resumed.info.run_id}'")
        if run.data.tags[tracking.STEP] == "candidate"
    ]
    found = table(resumed, "candidates.csv")
    assert len(candidates) == len(found)
    assert len([run for run in candidates if TAKEN_FROM in run.data.tags]) == taken

    output, undisturbed = finish(step, features, store)
    assert "reusing" not in output
    pd.testing.assert_frame_equal(found, table(undisturbed, "candidates.csv"), check_exact=True)
    if step == "train_ga":
        pd.testing.assert_frame_equal(
            table(resumed, "generations.csv"), table(undisturbed, "generations.csv"), check_exact=True
        )
