import os

import mlflow
import pytest
from pyspark.sql import functions as F

from common.errors import UserError
from common.store import artifacts, kept, logged_data, tracking
from common.store.opening import check_answers
from common.store.tracking import StoreSilent
from tests.answering import answering


@pytest.fixture
def run(store):
    with mlflow.start_run() as active:
        yield active


def test_artifact_that_is_not_there_is_one_line(run):
    with pytest.raises(UserError, match="artifact 'runs:/.*/nope.yaml' cannot be read"):
        artifacts.read_text(f"runs:/{run.info.run_id}/nope.yaml")


def test_only_finished_runs_with_all_tags_are_found(store):
    with mlflow.start_run(tags={"a": "1", "b": "2"}) as right:
        assert tracking.find_finished({"a": "1"}, store) == []
    with mlflow.start_run(tags={"a": "1", "b": "3"}):
        pass
    found = tracking.find_finished({"a": "1", "b": "2"}, store)
    assert [found_run.info.run_id for found_run in found] == [right.info.run_id]


@pytest.mark.parametrize("value", ["it's", 'the "best"', 'it\'s the "best"', "50%_off", "a, b; c"])
def test_tags_with_quotes_are_found(store, value):
    with mlflow.start_run(tags={"a": value}) as right:
        pass
    for other in (value.replace("'", "x").replace("%_", "y"), value + "x", "x"):
        if other != value:
            with mlflow.start_run(tags={"a": other}):
                pass
    found = tracking.find_finished({"a": value}, store, most=2)
    assert [found_run.info.run_id for found_run in found] == [right.info.run_id]


def test_more_runs_are_found_than_the_server_gives_at_once(store, monkeypatch):
    monkeypatch.setattr("mlflow.tracking.fluent.NUM_RUNS_PER_PAGE_PANDAS", 2)
    for _ in range(5):
        with mlflow.start_run(tags={"a": "1"}):
            pass
    assert len(tracking.find_finished({"a": "1"}, store, most=None)) == 5
    assert len(tracking.find_finished({"a": "1"}, store, most=3)) == 3


def test_store_that_does_not_answer_is_no_run_that_is_gone(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://user:secret@127.0.0.1:9")
    for ask in (tracking.get_run, tracking.find_run):
        with pytest.raises(
            StoreSilent, match=r"http://user:\*\*\*@127.0.0.1:9 does not answer: "
        ) as raised:
            ask("0123456789abcdef0123456789abcdef")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, "does not answer as a server of MLflow does: .* with the path if it has one"),
        (401, "does not know you: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        (403, "does not allow it: .*who are you"),
        (404, "does not answer as a server of MLflow does: .*404"),
        (503, "does not answer: .*503"),
        (400, "does not answer as a server of MLflow does: .*400"),
        (407, "does not answer as a server of MLflow does: .*407"),
    ],
)
def test_answer_of_a_login_or_another_server_is_no_run_that_is_gone(store, monkeypatch, status, said):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with answering(status) as url:
        mlflow.set_tracking_uri(url)
        for ask in (tracking.get_run, tracking.find_run):
            with pytest.raises(StoreSilent, match=f"^{url} {said}") as raised:
                ask("0123456789abcdef0123456789abcdef")
            assert "\n" not in str(raised.value)


@pytest.mark.parametrize("status", [200, 400, 401, 404])
@pytest.mark.parametrize("page", [b'{"message": "who are you?"}', b'{"detail": "Not Found"}'])
def test_json_of_another_server_is_no_run_that_is_gone(store, monkeypatch, status, page):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with answering(status, page) as url:
        mlflow.set_tracking_uri(url)
        for ask in (tracking.get_run, tracking.find_run):
            with pytest.raises(StoreSilent, match=f"^{url} does not answer as a server of MLflow does: "):
                ask("0123456789abcdef0123456789abcdef")
        with pytest.raises(UserError, match=f"^{url} does not answer as a server of MLflow does: "):
            check_answers()


def test_run_that_was_deleted_or_never_was_is_not_found(store):
    with mlflow.start_run() as run:
        pass
    assert tracking.find_run(run.info.run_id).info.run_id == run.info.run_id
    mlflow.delete_run(run.info.run_id)
    assert tracking.find_run(run.info.run_id) is None
    assert tracking.find_run("0123456789abcdef0123456789abcdef") is None
    assert not kept.has_artifacts("0123456789abcdef0123456789abcdef", ["data"])


def test_data_is_logged_without_reading_it(run, people, spec):
    unreadable = people.where(F.raise_error(F.lit("read")).isNull())
    logged_data.log_data(unreadable, spec, "runs:/x/train", "abc", "training")
    (logged,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("adult", "abc")
    assert logged.tags[0].value == "training"


def test_size_of_an_artifact_is_that_of_all_files_in_it(run, tmp_path):
    mlflow.log_text("12345", "kept/one.txt")
    mlflow.log_text("123", "kept/deep/two.txt")
    assert artifacts.artifact_bytes(f"runs:/{run.info.run_id}/kept") == 8
    assert artifacts.artifact_bytes(f"runs:/{run.info.run_id}") == 8
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "three.txt").write_text("1234567")
    assert artifacts.artifact_bytes(str(tmp_path / "plain")) == 7
    assert artifacts.artifact_bytes("runs:/0123456789abcdef0123456789abcdef/kept") is None


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


def test_store_in_a_folder_with_a_blank_leaves_no_other_folder(store, tmp_path, monkeypatch):
    before, folder = mlflow.get_tracking_uri(), tmp_path / "my copy"
    folder.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/my%20copy/mlflow.db")
    tracking.decode_store()
    tracking.decode_store()
    assert os.environ["MLFLOW_TRACKING_URI"] == mlflow.get_tracking_uri()
    mlflow.MlflowClient().search_experiments()
    assert [one.name for one in folder.iterdir()] == ["mlflow.db"]
    assert not (tmp_path / "my%20copy").exists()
    mlflow.set_tracking_uri(before)


@pytest.mark.parametrize(
    "uri", ["sqlite:////a/50%25/mlflow.db", "sqlite:////a/b%3Fc/mlflow.db", "http://host/my%20store"]
)
def test_uri_that_would_mean_something_else_is_left_as_it_is(store, uri):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    tracking.decode_store()
    assert mlflow.get_tracking_uri() == uri
    mlflow.set_tracking_uri(before)
