"""Which experiment the runs are in, and its description in the UI."""

import shutil

import mlflow
import pytest
from mlflow import MlflowClient

from common import PROJECT
from common.errors import UserError
from common.store import experiment
from common.store.opening import open_store


@pytest.fixture
def client(tmp_path, empty_store, monkeypatch):
    """A store that nobody has used."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    yield MlflowClient(uri)
    mlflow.set_tracking_uri(before)


def names(client):
    return {one.experiment_id: one.name for one in client.search_experiments()}


def test_first_experiment_of_an_unused_store_takes_the_projects_name(client):
    open_store()
    open_store()
    assert names(client) == {"0": PROJECT}
    assert experiment.find_experiment() == "0"


def test_run_that_mlflow_has_opened_is_no_use_by_another(client, monkeypatch):
    run = client.create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    open_store()
    assert names(client) == {"0": PROJECT}


def test_experiment_with_another_run_keeps_its_name(client, monkeypatch):
    client.create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", client.create_run("0").info.run_id)
    open_store()
    assert names(client) == {"0": "Default"}


def test_store_with_another_experiment_is_somebodys(client):
    client.create_experiment("theirs")
    open_store()
    assert names(client) == {"0": "Default", "1": "theirs"}
    assert experiment.find_experiment() == "0"


def test_own_experiment_says_what_it_is_and_what_was_written_there_stays(client):
    open_store()
    client.set_experiment_tag("0", experiment.NOTE, "mine")
    experiment.introduce("0")
    tags = client.get_experiment("0").tags
    assert tags[experiment.NOTE] == "mine"
    assert tags[experiment.KIND] == "custom_model_development"


def test_experiment_of_a_users_own_name_is_left_alone(client):
    theirs = client.create_experiment("theirs")
    experiment.introduce(theirs)
    assert not {experiment.NOTE, experiment.KIND} & client.get_experiment(theirs).tags.keys()


@pytest.mark.parametrize(
    ("store", "address"),
    [
        ("sqlite:///mlflow.db", "http://127.0.0.1:5000"),
        ("https://mlflow.example.org/", "https://mlflow.example.org"),
        ("https://me:secret@mlflow.example.org", "https://me:***@mlflow.example.org"),
    ],
)
def test_address_is_where_the_store_is_served(store, address, monkeypatch):
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: store)
    shown = "#/experiments/7/runs?workflowType=machine_learning"
    assert experiment.table_address("7") == f"{address}/{shown}"
    assert experiment.table_address("7", "http://here:1/") == f"http://here:1/{shown}"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"MLFLOW_EXPERIMENT_ID": "77"}, "MLFLOW_EXPERIMENT_ID '77' is no experiment of sqlite:///"),
        ({"MLFLOW_EXPERIMENT_ID": "mine"}, "MLFLOW_EXPERIMENT_ID 'mine' is no experiment of sqlite:///"),
        ({"MLFLOW_EXPERIMENT_ID": "0", "MLFLOW_EXPERIMENT_NAME": "a"}, "are both set: unset one of them"),
        ({"MLFLOW_EXPERIMENT_ID": "1"}, "experiment 'gone' of sqlite:.* `mlflow experiments restore "),
        ({"MLFLOW_EXPERIMENT_NAME": "gone"}, "experiment 'gone' of sqlite:.*--experiment-id 1`, or set"),
    ],
)
def test_experiment_that_cannot_be_used_is_named_before_a_run(client, monkeypatch, named, said):
    client.delete_experiment(client.create_experiment("gone"))
    for name in experiment.NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=said):
        experiment.check_named()


def test_projects_experiment_that_was_deleted_is_named_too(client, monkeypatch):
    for name in experiment.NAMES:
        # An empty one names none.
        monkeypatch.setenv(name, "")
    assert experiment.check_named() == PROJECT
    client.delete_experiment(client.create_experiment(PROJECT))
    with pytest.raises(UserError, match=f"^experiment '{PROJECT}' of .* was deleted"):
        experiment.check_named()


def test_experiment_of_the_environment_may_be_there_or_not_yet(client, monkeypatch):
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "new")
    assert experiment.check_named() is None
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    assert experiment.check_named() is None
