"""The project on a standalone cluster: a real master and two workers of one core, on loopback."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import mlflow
import pytest

from common.data.target import TWO
from common.learning.learners import get_learner
from common.learning.vectorizer import FEATURES, LABEL
from common.search.engines.boosting.driver import BoostingEngine
from common.search.folds import FOLD_RANK, fold_data
from common.search.grid import grid_candidates
from tests.cluster import ENVIRONMENT, can_hide, standalone_cluster
from tests.project import ROOT
from tests.s3 import s3_store
from tests.search_on_cluster import GRID

# Both workers must be registered before the first task starts.
WAITING = "--conf spark.cores.max=2 --conf spark.scheduler.minRegisteredResourcesRatio=1.0 pyspark-shell"
ON_DRIVER = {**ENVIRONMENT, "SPARK_DRIVER_MEMORY": "1g"}


@pytest.fixture
def cluster(tmp_path):
    with standalone_cluster(tmp_path) as found:
        yield found


@contextmanager
def search(cluster, vectors):
    """Start a grid search on the cluster that waits after its first fits."""
    rows = [(row[FEATURES].toArray().tolist(), row[LABEL], row[FOLD_RANK]) for row in vectors.collect()]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.search_on_cluster"],
        cwd=ROOT,
        env={**ON_DRIVER, "SPARK_MASTER": cluster.url, "PYSPARK_SUBMIT_ARGS": WAITING},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(json.dumps(rows) + "\n")
    process.stdin.flush()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process):
    """Let the search go on; return its results."""
    out, err = process.communicate("go on\n")
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.mark.slow
def test_search_is_spread_over_both_workers_and_outlives_one_with_the_same_scores(cluster, vectors):
    with search(cluster, vectors) as process:
        assert process.stdout.readline() == "held\n", process.communicate()[1]
        # Its executor and their Python processes die too, as if the machine went down.
        os.killpg(cluster.workers[0].pid, signal.SIGKILL)
        found = finish(process)
    assert found["jobs_after_the_loss"] == 1
    assert len(found["lost"]) == 1
    assert len(found["tasks"]) == 2
    assert all(tasks > 0 for tasks in found["tasks"].values())
    learner = get_learner("gbt")
    here = BoostingEngine(fold_data(vectors, 5, TWO), learner, seed=7).evaluate(
        grid_candidates(GRID, learner)
    )
    assert found["scores"] == {outcome.name: list(outcome.folds) for outcome in here}


@pytest.fixture
def apart(tmp_path):
    """A cluster whose workers do not see a folder of the driver; yields folder, environment, client."""
    own = tmp_path / "of the driver"
    (own / "tmp").mkdir(parents=True)
    if not can_hide(own):
        pytest.skip("a disk of the workers' own takes root and Linux's mount namespaces")
    with standalone_cluster(tmp_path, hidden=own) as cluster, s3_store() as bucket:
        uri = f"sqlite:///{tmp_path}/mlflow.db"
        client = mlflow.MlflowClient(uri)
        environment = {
            **ON_DRIVER,
            **{name: os.environ[name] for name in os.environ if name.startswith(("AWS_", "MLFLOW_S3"))},
            "SPARK_MASTER": cluster.url,
            "TMPDIR": str(own / "tmp"),
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_EXPERIMENT_ID": client.create_experiment("far", bucket),
        }
        yield own, environment, client


@pytest.mark.slow
def test_what_workers_write_reaches_a_far_store_or_the_step_says_what_to_set(apart, slice_file, tmp_path):
    own, environment, client = apart
    source, shared = own / "slice.data", tmp_path / "shared"
    source.write_bytes(slice_file.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "tests.steps_on_cluster", source, shared],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    code, said = found["refused"]
    assert code == 1
    assert re.fullmatch(
        r"Error: the workers of spark://\S+ cannot reach .*/tmp on this machine: set MLFLOW_DFS_TMP.*\n",
        said,
    )
    # The driver's file reached the workers, and the frames of three steps and the vectoriser the store.
    for step, path in (
        ("load_data", "data"),
        ("split", "train"),
        ("featurize", "test"),
        ("featurize", "vectorizer/sparkml/metadata"),
    ):
        assert sum(item.file_size for item in client.list_artifacts(found["kept"][step], path)) > 0
    assert list(shared.iterdir()) == []
    # The store's lock is shared by all its processes, so it stays.
    assert [path for path in (own / "tmp").iterdir() if not path.match("mlflow-store-*.lock")] == []
