"""The boosting engine on a standalone cluster: a real master and two workers of one core, on loopback."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from common.learners import get_learner
from common.search.boosting import BoostingEngine
from common.search.folds import fold_data
from common.search.grid import grid_candidates
from tests.project import ROOT
from tests.search_on_cluster import GRID

SPARK_HOME = Path(pyspark.__file__).parent
ENVIRONMENT = {
    **os.environ,
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_PYTHON": sys.executable,
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
}


def start(kind, *arguments):
    """Start a daemon of Spark's own; give the process and what it logs."""
    command = [SPARK_HOME / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", *arguments]
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def wait_for(process, pattern):
    """Read a daemon's log up to the line that has a pattern; give what the pattern's group matched."""
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found.group(1)
    raise AssertionError(f"{process.args} ended without a line like {pattern!r}")


@pytest.fixture
def cluster(tmp_path):
    """URL of a master with two workers of one core each."""
    local = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    daemons = [start("master.Master", *local)]
    try:
        url = wait_for(daemons[0], r"Starting Spark master at (spark://\S+)")
        for place in range(2):
            work = ("--cores", "1", "--memory", "1g", "--work-dir", str(tmp_path / f"worker{place}"))
            daemons.append(start("worker.Worker", *local, *work, url))
            wait_for(daemons[-1], r"(Successfully registered with master)")
        yield url
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.communicate()


@pytest.mark.slow
def test_search_spreads_over_both_workers_and_scores_the_same(cluster, vectors):
    rows = [
        (row["features"].toArray().tolist(), row["label"], row["fold_rank"]) for row in vectors.collect()
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.search_on_cluster"],
        cwd=ROOT,
        env={**ENVIRONMENT, "SPARK_MASTER": cluster, "SPARK_DRIVER_MEMORY": "1g"},
        input=json.dumps(rows),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["tasks"]) == 2
    assert all(tasks > 0 for tasks in found["tasks"].values())

    learner = get_learner("gbt")
    here = BoostingEngine(fold_data(vectors, 5), learner, seed=7).evaluate(grid_candidates(GRID, learner))
    assert found["scores"] == {outcome.name: list(outcome.folds) for outcome in here}
