"""The steps on a team's stores: PostgreSQL and S3, through a server and directly."""

from contextlib import contextmanager
from urllib.parse import quote

import mlflow
import pandas as pd
import pytest
from click.testing import CliRunner

from common.machine import copies
from common.store import artifacts, tracking
from steps.champion import champion
from steps.eda import eda
from steps.featurize import featurize
from steps.load_data import load_data
from steps.predict import predict
from steps.report import report
from steps.split import split
from steps.train_ga import train_ga
from steps.train_grid import train_grid
from tests.postgres import PASSWORD, postgres
from tests.s3 import SECRET
from tests.service.served import Service

GRID = '{"maxDepth": [2], "maxIter": [2, 4], "stepSize": [0.3]}'
SPACE = '{"maxDepth": {"low": 1, "high": 3}, "maxIter": {"low": 1, "high": 4}}'
SECRETS = (PASSWORD, quote(PASSWORD, safe=""), SECRET)


@pytest.fixture(scope="module")
def database():
    with postgres() as uri:
        yield uri


@pytest.fixture(scope="module")
def server(bucket, database, tmp_path_factory):
    """URL of a tracking server; only it knows the database and the keys of the bucket."""
    folder = tmp_path_factory.mktemp("server")
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"]
    command += ["--backend-store-uri", database]
    command += ["--serve-artifacts", "--artifacts-destination", f"{bucket}/proxied"]
    jobs = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    service = Service(command, database, folder / "server.log", **jobs)
    yield service.url
    service.stop()


@contextmanager
def store(uri, name, location=None):
    """Make the steps use a store and a new experiment in it; yields the experiment's id."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", uri)
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        experiment = mlflow.create_experiment(name, artifact_location=location)
        mlflow.set_experiment(experiment_id=experiment)
        try:
            yield experiment
        finally:
            mlflow.set_tracking_uri(before)


@pytest.fixture
def proxied(server, monkeypatch):
    """Everything through the server: this process has no keys of the bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MLFLOW_S3_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    with store(server, "proxied") as experiment:
        yield experiment


@pytest.fixture
def direct(server, bucket, database):
    """The database and the bucket, addressed directly."""
    with store(database, "direct", f"{bucket}/direct") as experiment:
        yield experiment


def left(folder):
    """Return the content of a temporary folder except the store's lock, which all processes share."""
    return [path for path in folder.iterdir() if not path.match("mlflow-store-*.lock")]


@pytest.fixture
def call(temporary):
    """Call a step, which must leave no file behind; returns its run's URI."""

    def call(command, experiment, **options):
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, done.output
        assert left(temporary) == []
        for secret in SECRETS:
            assert secret not in done.output
        (run,) = tracking.find_finished({tracking.STEP: command.name}, experiment)
        return f"runs:/{run.info.run_id}"

    return call


def check_nothing_is_shown(experiment, capfd):
    """Check that neither the output nor the runs contain a secret or a trace."""
    printed = "".join(capfd.readouterr())
    assert "ERROR" not in printed
    assert "Traceback" not in printed
    kept = printed
    for run in mlflow.MlflowClient().search_runs([experiment], max_results=1000):
        kept += str(run.to_dictionary())
    for secret in SECRETS:
        assert secret not in kept


@pytest.mark.slow
def test_whole_chain_through_a_server(proxied, call, slice_file, tmp_path, capfd):
    data = call(load_data, proxied, source=slice_file) + "/data"
    call(eda, proxied, data=data, profile="none")
    parts = call(split, proxied, data=data)
    features = call(featurize, proxied, split=parts)
    grid = call(train_grid, proxied, features=features, grid=GRID, folds=2)
    genetic = call(
        train_ga, proxied, features=features, space=SPACE, folds=2, generations=2, population=3
    )
    call(champion, proxied, candidates=f"{grid},{genetic}", name="far")
    call(predict, proxied, input=slice_file, output=tmp_path / "scores", model="models:/far@champion")
    assert len(pd.read_parquet(tmp_path / "scores")) == 1200
    page = artifacts.read_text(call(report, proxied) + "/report.html")
    assert "models:/far" in page
    copies.remove_copies()
    check_nothing_is_shown(proxied, capfd)


@pytest.mark.slow
def test_chain_with_the_database_and_the_bucket_by_their_own_addresses(
    direct, call, slice_file, tmp_path, capfd
):
    data = call(load_data, direct, source=slice_file) + "/data"
    features = call(featurize, direct, split=call(split, direct, data=data))
    search = call(train_grid, direct, features=features, grid=GRID, folds=2)
    # The input to score is itself an artifact.
    call(predict, direct, input=data, output=tmp_path / "scores", model=f"{search}/portable-model")
    assert len(pd.read_parquet(tmp_path / "scores")) == 1200
    check_nothing_is_shown(direct, capfd)
