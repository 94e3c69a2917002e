import mlflow
import pytest

from common import champion
from common.errors import UserError
from tests.common.contenders import make_search


def test_search_is_registered_once_with_what_it_is_judged_by(store):
    run = make_search([0.85, 0.87], parameters={"best_maxDepth": 5})
    version = champion.register(run, "income")
    assert champion.register(run, "income").version == version.version
    assert version.tags["search"] == run.info.run_id
    assert version.tags["best_maxDepth"] == "5"
    assert champion.test_scores(version) == {"roc_auc": 0.7}
    assert champion.guessed_scores(version) == {"roc_auc": 0.5}
    found = champion.contestant(version)
    assert (found.dataset, found.source, found.metric) == ("adult", "path", "roc_auc")
    assert (found.folds_digest, found.fold_scores) == ("rows:2", [0.85, 0.87])


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "it's"])
def test_name_that_no_model_can_have_is_refused(name):
    with pytest.raises(UserError, match="name must be some text without / : and quotes"):
        champion.check_name(name)


def test_run_that_is_no_search_is_refused(store):
    with mlflow.start_run() as active:
        pass
    with pytest.raises(UserError, match="which is no finished search"):
        champion.register(mlflow.get_run(active.info.run_id), "income")


def test_search_that_failed_after_its_folds_is_refused(store):
    run = make_search([0.85, 0.87], status="FAILED")
    with pytest.raises(UserError, match="which is no finished search"):
        champion.register(run, "income")


def test_search_without_its_folds_scores_is_to_be_made_again(store):
    with mlflow.start_run() as active:
        mlflow.log_metrics({"val_f1": 0.8, "test_f1": 0.8})
    with pytest.raises(UserError, match="does not say its folds' scores: search again"):
        champion.register(mlflow.get_run(active.info.run_id), "income")
