import shutil

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR
from mlflow.utils.file_utils import local_file_uri_to_path

from common import DATASET, PROJECT
from common.champion.verdict import Incomparable
from common.data.reading import DOUBLE, TEXT
from common.data.spec import LABEL_ROLE, NUMERIC, Column, DatasetSpec
from common.errors import UserError
from common.store import registry
from common.store.artifacts import model_folder
from common.store.logged_data import names_schema
from common.store.portable_models import find_portable_model
from tests.common.store.contenders import make_search


def test_search_is_registered_once_with_what_it_is_judged_by(store):
    run = make_search([0.85, 0.87], parameters={"best_maxDepth": 5})
    version = registry.register(run, "income")
    assert registry.register(run, "income").version == version.version
    assert version.tags["search"] == run.info.run_id
    assert version.tags["best_maxDepth"] == "5"
    assert registry.test_scores(version) == {"roc_auc": 0.7}
    assert registry.guessed_scores(version) == {"roc_auc": 0.5}
    assert registry.notes_of(version) == []
    found = registry.contestant(version)
    assert (found.dataset, found.source, found.metric) == ("adult", "path", "roc_auc")
    assert (found.folds_digest, found.fold_scores) == ("rows:2", [0.85, 0.87])


def test_version_carries_all_that_is_copied_of_its_search_and_nothing_else(store):
    names = ("dataset", "source", "folds_digest", "train_digest", "test_digest", "learner", "engine")
    given = {name: f"the {name}" for name in (*names, "members")} | {"notes": "one\nof two"}
    run = make_search([0.5, 0.75], {"best_a": 1, "weight_b": 0.5, "grid": "auto"}, **given, more="x")
    MlflowClient().log_metric(run.info.run_id, "val_f1", 0.3)
    MlflowClient().log_metric(run.info.run_id, "train_f1", 0.9)
    version = registry.register(mlflow.get_run(run.info.run_id), "income")
    assert version.name == "income"
    assert version.source.endswith(f"{run.info.run_id}/artifacts/portable-model")
    assert version.tags == {
        **given,
        "search": run.info.run_id,
        "step": "train_grid",
        "metric": "roc_auc",
        "fold_scores": "[0.5, 0.75]",
        "best_a": "1",
        "weight_b": "0.5",
        "val_roc_auc": "0.625",
        "test_roc_auc": "0.7",
        "guess_test_roc_auc": "0.5",
    }
    assert registry.test_scores(version) == {"roc_auc": 0.7}
    assert registry.contestant(version).version == "1"
    assert registry.notes_of(version) == ["one", "of two"]


def test_versions_are_found_by_number_with_the_aliases_they_hold(store):
    searches = [make_search([0.85, 0.85 + place / 100]) for place in range(11)]
    for search in searches:
        registry.register(search, "income")
    assert registry.register(searches[0], "another").name == "another"
    assert registry.present_champion("income") is None
    MlflowClient().set_registered_model_alias("income", "champion", "2")
    MlflowClient().set_registered_model_alias("income", "challenger", "11")
    found = registry.find_versions("income")
    assert list(found) == [str(number) for number in range(1, 12)]
    assert [one.tags["search"] for one in found.values()] == [one.info.run_id for one in searches]
    held = {number: one.aliases for number, one in found.items() if one.aliases}
    assert held == {"2": ["champion"], "11": ["challenger"]}
    assert registry.present_champion("income").version == 2
    assert len(registry.versions_of("income")) == 11


def test_model_that_is_not_there_has_no_versions_and_no_champion(store):
    assert registry.find_versions("nobody") == {}
    assert registry.present_champion("nobody") is None
    assert list(registry.versions_of("nobody")) == []


@pytest.mark.parametrize("asked", [registry.present_champion, registry.find_versions])
def test_error_of_the_store_is_not_taken_for_a_model_that_is_not_there(store, monkeypatch, asked):
    def fail(*_, **__):
        raise MlflowException("no network", error_code=INTERNAL_ERROR)

    for name in ("get_model_version_by_alias", "get_registered_model"):
        monkeypatch.setattr(MlflowClient, name, fail)
    with pytest.raises(MlflowException, match="no network"):
        asked("income")


@pytest.mark.parametrize("missing", ["metric", "fold_scores"])
def test_version_that_does_not_say_its_folds_scores_cannot_be_compared(store, missing):
    registry.register(make_search([0.85, 0.87]), "income")
    MlflowClient().delete_model_version_tag("income", "1", missing)
    with pytest.raises(Incomparable) as raised:
        registry.contestant(MlflowClient().get_model_version("income", "1"))
    assert str(raised.value) == "version 1 has no recorded fold scores"


def test_what_a_version_does_not_say_of_its_rows_is_empty(store):
    registry.register(make_search([0.85, 0.87]), "income")
    for name in ("dataset", "source", "folds_digest"):
        MlflowClient().delete_model_version_tag("income", "1", name)
    found = registry.contestant(MlflowClient().get_model_version("income", "1"))
    assert (found.dataset, found.source, found.folds_digest) == ("", "", "")


@pytest.mark.parametrize("name", ["a/b", "a:b", "a'b", 'a"b', "a`b", " "])
def test_name_is_refused_in_one_line(name):
    with pytest.raises(UserError) as raised:
        registry.check_name(name)
    assert str(raised.value) == f"name must be non-empty text without / : ? # % @ or quotes, got {name!r}"
    registry.check_name("A Xb-1")


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "it's", "50%", "a?b", "#1", "a@b"])
def test_name_that_no_model_can_have_is_refused(name):
    with pytest.raises(UserError, match="name must be non-empty text without / : "):
        registry.check_name(name)


def test_run_that_is_no_search_is_refused(store):
    with mlflow.start_run() as active:
        pass
    with pytest.raises(UserError, match="which is not a finished search"):
        registry.register(mlflow.get_run(active.info.run_id), "income")


def test_search_that_failed_after_its_folds_is_refused(store):
    run = make_search([0.85, 0.87], status="FAILED")
    with pytest.raises(UserError) as raised:
        registry.register(run, "income")
    assert str(raised.value) == f"candidates name run {run.info.run_id}, which is not a finished search"


def test_search_without_its_folds_scores_is_to_be_made_again(store):
    with mlflow.start_run() as active:
        mlflow.log_metrics({"val_f1": 0.8, "test_f1": 0.8})
    with pytest.raises(UserError) as raised:
        registry.register(mlflow.get_run(active.info.run_id), "income")
    assert str(raised.value) == (
        f"candidates name run {active.info.run_id}, which has no recorded fold scores: search again"
    )


def test_tags_have_the_names_that_others_read():
    assert (registry.CHAMPION, registry.REASON, registry.SEARCH) == ("champion", "reason", "search")
    assert (registry.FOLLOWS, registry.FOLLOWED_BY) == ("follows", "followed_by")
    assert (registry.METRIC, registry.FOLD_SCORES) == ("metric", "fold_scores")


def test_search_that_does_not_say_its_step_is_registered_without_one(store):
    run = make_search([0.85, 0.87], **{"workflow.step": ""})
    mlflow.MlflowClient().delete_tag(run.info.run_id, "workflow.step")
    version = registry.register(mlflow.get_run(run.info.run_id), "income")
    assert version.tags["step"] == ""


@pytest.mark.parametrize("find", [find_portable_model, model_folder])
@pytest.mark.parametrize("uri", ["models:/income", "models:/income/"])
def test_model_without_a_version_is_one_line_that_says_what_is_missing(store, find, uri):
    with pytest.raises(UserError, match="no version: give models:/income@champion, or models:/income/1"):
        find(uri)


def test_model_takes_a_renamed_column_by_either_name():
    columns = (
        Column("pay", DOUBLE, NUMERIC),
        Column("x", DOUBLE, NUMERIC),
        Column("y", TEXT, LABEL_ROLE),
    )
    labels = ("no", "yes")
    spec = DatasetSpec("t", columns, "y", labels, "yes", ("y",), rename={"wage": "pay", "z": "y"})
    schema = names_schema(spec)
    assert schema.input_names() == ["pay", "wage", "x"]
    assert schema.required_input_names() == ["x"]


def test_models_name_has_nothing_that_means_something_in_a_uri():
    name = registry.model_name("auto", "50% 'A' #1?.x@y:z")
    assert name == "50- -A- -1-.x-y-z"
    registry.check_name(name)


def test_winners_are_all_there_only_if_each_is_a_version_and_one_is_champion(store):
    first, second = make_search([0.5, 0.6]), make_search([0.6, 0.7])
    one, both = [f"runs:/{first.info.run_id}"], [f"runs:/{run.info.run_id}" for run in (first, second)]
    assert not registry.has_all("income", one)
    registry.register(first, "income")
    assert not registry.has_all("income", one)
    MlflowClient().set_registered_model_alias("income", "champion", "1")
    assert registry.has_all("income", one)
    assert not registry.has_all("income", both)
    registry.register(second, "income")
    assert registry.has_all("income", both)
    # As `mlflow gc` leaves it.
    shutil.rmtree(local_file_uri_to_path(first.info.artifact_uri))
    assert not registry.has_all("income", [f"runs:/{second.info.run_id}"])


def test_data_set_called_like_the_projects_model_has_another():
    assert registry.model_name("auto", DATASET) == PROJECT
    assert registry.model_name("auto", PROJECT) not in (PROJECT, DATASET)


def test_deleted_search_is_refused(store):
    search = make_search([0.5, 0.6])
    mlflow.delete_run(search.info.run_id)
    with pytest.raises(UserError, match="which was deleted"):
        registry.register(mlflow.get_run(search.info.run_id), "income")
