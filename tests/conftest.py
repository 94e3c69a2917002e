import json
import logging
import os
import sqlite3
import sys
import tempfile
from importlib.util import find_spec

import mlflow
import pytest
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T
from sqlalchemy import Engine, event

from common.data.census_sample import draw
from common.data.spec_yaml import CONF, load_spec
from common.learning.learners import LEARNERS
from common.learning.vectorizer import FEATURES, LABEL, fit_vectorizer, vectorize
from common.machine import copies
from common.machine.spark import get_session
from common.search.folds import FOLD_RANK
from common.search.winner import scoring_pipeline
from tests import tiny_model as tiny
from tests.project import ROOT, Project
from tests.stores import made_features, new_store

REAL_FILE = ROOT.parent / "shared" / "data" / "adult.data"

# Small, but with more than one tree, and deep enough to split numeric features.
PARAMETERS = {
    "gbt": {"maxIter": 3, "maxDepth": 4},
    "xgboost": {"n_estimators": 3, "max_depth": 4},
    "random_forest": {"numTrees": 3, "maxDepth": 4},
    "logistic_regression": {"maxIter": 5},
    "linear_svc": {"maxIter": 5},
}


if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker's main module is of no file, which PySpark takes for its own doctests, and exits.
    sys.modules["__main__"].__spec__ = find_spec("pytest.__main__")


# Java fills its memory before it clears it up: three workers, and what they start, took 15 GB.
os.environ.setdefault("SPARK_DRIVER_MEMORY", "2g")


@event.listens_for(Engine, "connect")
def _leave_writing_to_the_system(connection, _):
    """Spare the stores of this process the wait for the disk at each commit, most of their time."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session")
def spark():
    # As the steps with little to read: the tests' tables are small.
    session = get_session("local[2]", brief=True)
    logging.getLogger("py4j").setLevel(logging.ERROR)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def spec():
    return load_spec("adult")


@pytest.fixture(scope="session")
def sample_rows():
    """The whole built-in sample, as pandas."""
    return draw(json.loads((CONF / "census_sample.json").read_text()))


@pytest.fixture(scope="session")
def people(spark, spec, sample_rows):
    """2,000 rows of the sample, as a cached frame."""
    # Read from a file, its question marks are missing values.
    rows = sample_rows.head(2000).replace({"?": None})
    frame = spark.createDataFrame(rows, schema=spec.schema).cache()
    frame.count()
    return frame


@pytest.fixture(scope="session")
def fit_pipeline(people, spec):
    """Fit a learner's scoring pipeline on 2,000 rows, once."""
    vectorized, pipelines = {}, {}

    def fit(learner, encoding):
        if encoding not in vectorized:
            vectorizer = fit_vectorizer(people, spec, encoding)
            vectorized[encoding] = vectorizer, vectorize(people, vectorizer, spec).cache()
        if (learner, encoding) not in pipelines:
            vectorizer, rows = vectorized[encoding]
            bins = {} if "maxDepth" not in PARAMETERS[learner] else {"maxBins": 64}
            estimator = LEARNERS[learner].fitting(spec.task).estimator
            model = estimator({**PARAMETERS[learner], **bins}, 42).fit(rows)
            pipelines[learner, encoding] = scoring_pipeline(vectorizer, model, spec)
        return pipelines[learner, encoding]

    return fit


@pytest.fixture(scope="session")
def slice_file(tmp_path_factory, sample_rows):
    """The first 1,200 rows of the sample, in the format of Adult's own file."""
    path = tmp_path_factory.mktemp("slice") / "slice.data"
    text = sample_rows.head(1200).to_csv(header=False, index=False).replace(",", ", ")
    path.write_text(text + "\n")
    return path


@pytest.fixture(scope="session")
def project(tmp_path_factory, slice_file):
    """The project for the end-to-end tests, whose main has started."""
    project = Project(tmp_path_factory.mktemp("project"), slice_file)
    yield project
    project.main[0].kill()


@pytest.fixture(scope="session", autouse=True)
def _main_runs_beside_the_other_tests(request):
    """Start main first if its tests are to run; of several workers, the one that comes to them does."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    if alone and any("test_end_to_end" in item.nodeid for item in request.session.items):
        request.getfixturevalue("project")


def pytest_collection_modifyitems(items):
    """Several workers begin with the modules that start commands, so that none of these comes last."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.path.is_relative_to(ROOT / "tests" / "common"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each module to one worker, and all modules that look at the run of main to the same one."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            module = nodeid.partition("::")[0]
            return "main" if "test_end_to_end" in module else module

    # In the order of the items, not by their number.
    config.option.loadscopereorder = False
    return ByModule(config, log)


@pytest.fixture(scope="session")
def real_file():
    if not REAL_FILE.is_file():
        pytest.skip(f"the real file is not at {REAL_FILE}")
    return REAL_FILE


@pytest.fixture(scope="session")
def vectors(spark):
    """300 rows of features, label and rank for folds that a tree can learn from."""
    rows = []
    for i in range(300):
        a, b = (i * 7919) % 101, (i * 31) % 17
        noise = (i * 104729) % 400
        rows.append((Vectors.dense(a, b, i % 3), float(a * b + noise > 700), i))
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long")
    frame = spark.createDataFrame(rows, schema).cache()
    frame.count()
    return frame


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """The file of a store with empty tables, whose creation takes a second."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(tmp_path, empty_store):
    """An empty tracking store and registry; yields the experiment's id."""
    with new_store(tmp_path, empty_store) as experiment:
        yield experiment


@pytest.fixture(scope="module")
def kept_store(tmp_path_factory, empty_store):
    """A store that the tests of a module share; yields the experiment's id."""
    with new_store(tmp_path_factory.mktemp("store"), empty_store) as experiment:
        yield experiment


@pytest.fixture(scope="module")
def features(kept_store, slice_file, spark):
    """URI of the features of a slice, in the store that the module's tests share."""
    return made_features(kept_store, slice_file)


@pytest.fixture(scope="module")
def bucket():
    """URI of an empty S3 bucket that MLflow can reach."""
    # Only a few tests need the packages that this imports.
    from tests.s3 import s3_store

    with s3_store() as uri:
        yield uri


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A new temporary folder, to check what a test leaves in it."""
    copies.remove_copies()
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    copies.remove_copies()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Folder of a portable model of three columns (see tests/tiny_model.py)."""
    return tiny.save(tmp_path_factory.mktemp("model"))
