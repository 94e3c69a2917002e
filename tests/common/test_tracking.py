import os

import mlflow
import pytest
from mlflow import MlflowClient
from pyspark.sql import functions as F

from common import tracking
from common.errors import UserError


@pytest.fixture
def run(store):
    with mlflow.start_run() as active:
        yield active


def test_artifact_that_is_not_there_is_one_line(run):
    with pytest.raises(UserError, match="artifact 'runs:/.*/nope.yaml' cannot be read"):
        tracking.read_text(f"runs:/{run.info.run_id}/nope.yaml")


def test_only_finished_runs_with_all_tags_are_found(store):
    with mlflow.start_run(tags={"a": "1", "b": "2"}) as right:
        assert tracking.find_finished({"a": "1"}, store) == []
    with mlflow.start_run(tags={"a": "1", "b": "3"}):
        pass
    found = tracking.find_finished({"a": "1", "b": "2"}, store)
    assert [found_run.info.run_id for found_run in found] == [right.info.run_id]


def test_data_is_logged_without_reading_it(run, people, spec):
    unreadable = people.where(F.raise_error(F.lit("read")).isNull())
    tracking.log_data(unreadable, spec, "runs:/x/train", "abc", "training")
    (logged,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("adult", "abc")
    assert logged.tags[0].value == "training"


def test_runs_of_a_killed_process_are_closed_and_those_of_a_living_one_are_not(store):
    client = MlflowClient()
    alive = client.create_run(store).info.run_id
    tracking.mark_process(alive)
    process = client.get_run(alive).data.tags[tracking.PROCESS]
    host, pid, started = process.rsplit("/", 2)
    other_start = f"{host}/{pid}/{float(started) - 100:.0f}"
    elsewhere = "another-machine/1/1"
    dead, foreign = (
        client.create_run(store, tags={tracking.PROCESS: tag}).info.run_id
        for tag in (other_start, elsewhere)
    )
    failed = client.create_run(store).info.run_id
    client.set_terminated(failed, "FAILED")
    below = [
        client.create_run(store, tags={tracking.SEARCH: search}).info.run_id
        for search in (alive, dead, failed)
    ]
    tracking.close_dead_runs(store)

    def status(*runs):
        return [client.get_run(run_id).info.status for run_id in runs]

    assert status(alive, dead, foreign) == ["RUNNING", "KILLED", "RUNNING"]
    assert status(*below) == ["RUNNING", "KILLED", "KILLED"]


def test_size_of_an_artifact_is_that_of_all_files_in_it(run, tmp_path):
    mlflow.log_text("12345", "kept/one.txt")
    mlflow.log_text("123", "kept/deep/two.txt")
    assert tracking.artifact_bytes(f"runs:/{run.info.run_id}/kept") == 8
    assert tracking.artifact_bytes(f"runs:/{run.info.run_id}") == 8
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "three.txt").write_text("1234567")
    assert tracking.artifact_bytes(str(tmp_path / "plain")) == 7
    assert tracking.artifact_bytes("runs:/0123456789abcdef0123456789abcdef/kept") is None


def test_token_of_a_git_remote_is_taken_out_of_the_tags(run):
    mlflow.set_tags(
        {"mlflow.source.git.repoURL": "https://s3cret@host/me/it.git", "other": "https://host/x"}
    )
    tracking.mask_tags(mlflow.get_run(run.info.run_id))
    tags = mlflow.get_run(run.info.run_id).data.tags
    assert tags["mlflow.source.git.repoURL"] == "https://***@host/me/it.git"
    assert tags["other"] == "https://host/x"


def test_password_of_a_server_is_given_apart_from_its_uri(store, monkeypatch):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:s3%2Fcret@host:5000/mlflow")
    tracking.hide_credentials()
    assert os.environ["MLFLOW_TRACKING_URI"] == mlflow.get_tracking_uri() == "http://host:5000/mlflow"
    assert os.environ.pop("MLFLOW_TRACKING_USERNAME") == "me"
    assert os.environ.pop("MLFLOW_TRACKING_PASSWORD") == "s3/cret"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:s3cret@host/runs")
    tracking.hide_credentials()
    assert os.environ["MLFLOW_TRACKING_URI"] == "postgresql://me:s3cret@host/runs"
