"""Searches whose processes are killed, and the same command again."""

import os
import subprocess
import sys
from io import StringIO

import mlflow
import pandas as pd
import pytest

from common.store import artifacts, tracking
from common.store.candidate_runs import TAKEN_FROM
from steps.train_ga import train_ga
from steps.train_grid import train_grid
from tests.held_search import HELD, WRITTEN
from tests.project import BRIEF_JAVA, ROOT
from tests.stores import step_caller

GRID = '{"maxDepth": [1], "maxBins": [4, 8], "stepSize": [0.2, 0.3], "maxIter": [2]}'
SPACE = '{"maxDepth": {"low": 1, "high": 3}, "maxIter": {"low": 1, "high": 9}}'
COMMANDS = {"train_grid": train_grid, "train_ga": train_ga}
SEARCHES = {
    "train_grid": {"folds": "2", "grid": GRID, "engine": "mllib", "parallelism": "1"},
    "train_ga": {"folds": "2", "space": SPACE, "generations": "4", "population": "5", "patience": "8"},
}


def start(step, features, kept_store):
    """Start a search in a process of its own, which writes some candidates and waits."""
    environment = {
        **os.environ,
        "MLFLOW_EXPERIMENT_ID": kept_store,
        "JDK_JAVA_OPTIONS": BRIEF_JAVA,
        "PYTHONUNBUFFERED": "1",
    }
    options = [part for name, value in SEARCHES[step].items() for part in (f"--{name}", value)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.held_search", step, "--features", features, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(step, features, kept_store):
    """Run a search in this process to its end; return its output and its run."""
    output, _ = step_caller(kept_store)(COMMANDS[step], features=features, **SEARCHES[step])
    return output, tracking.find_finished({tracking.STEP: step}, kept_store)[0]


def table(run, name):
    text = artifacts.read_text(f"runs:/{run.info.run_id}/{name}")
    return pd.read_csv(StringIO(text)).drop(columns="fit_seconds", errors="ignore")


@pytest.mark.slow
@pytest.mark.parametrize("step", SEARCHES)
def test_killed_search_goes_on_where_it_was_and_finds_the_same(features, kept_store, step):
    killed = start(step, features, kept_store)
    assert HELD in killed.stdout
    killed.kill()
    killed.communicate()
    client = mlflow.MlflowClient()
    (dead,) = client.search_runs([kept_store], f"tags.`{tracking.STEP}` = '{step}'")
    assert dead.info.status == "RUNNING"

    output, resumed = finish(step, features, kept_store)
    taken = int(output.split("reusing ")[1].split(" ")[0])
    assert taken == WRITTEN
    assert client.get_run(dead.info.run_id).info.status == "KILLED"
    assert client.search_runs([kept_store], "attributes.status = 'RUNNING'") == []
    candidates = [
        run
        for run in client.search_runs([kept_store], f"tags.`{tracking.SEARCH}` = '{resumed.info.run_id}'")
        if run.data.tags[tracking.STEP] == "candidate"
    ]
    found = table(resumed, "candidates.csv")
    assert len(candidates) == len(found)
    assert len([run for run in candidates if TAKEN_FROM in run.data.tags]) == taken

    output, undisturbed = finish(step, features, kept_store)
    assert "reusing" not in output
    by = {"train_grid": "Spark's GBTClassifier", "train_ga": "the boosting engine"}[step]
    assert resumed.data.tags["fitted_by"] == undisturbed.data.tags["fitted_by"] == by
    pd.testing.assert_frame_equal(found, table(undisturbed, "candidates.csv"), check_exact=True)
    if step == "train_ga":
        pd.testing.assert_frame_equal(
            table(resumed, "generations.csv"), table(undisturbed, "generations.csv"), check_exact=True
        )
