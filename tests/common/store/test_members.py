import mlflow
import pytest

from common.errors import UserError
from common.store.members import find_members


@pytest.fixture
def search(store):
    """Make a finished search."""

    def make(learner, score=0.8, best=None, folds=5, features="runs:/abc", metric="f1"):
        tags = {"learner": learner, "seed": 7, "folds": folds, "workflow.input.features": features}
        with mlflow.start_run(tags={**tags, "metric": metric, "fold_scores": "[]"}) as active:
            mlflow.log_metric(f"val_{metric}", score)
            mlflow.log_params({f"best_{name}": value for name, value in (best or {}).items()})
        return mlflow.get_run(active.info.run_id)

    return make


def test_best_of_each_learner_is_a_member_with_its_parameters(search):
    worse, better = search("gbt", 0.85), search("gbt", 0.86, {"maxDepth": 5, "stepSize": 0.1})
    linear = search("logistic_regression", 0.84, {"regParam": 0.0})
    found = find_members([linear, worse, better])
    assert [member.run_id for member in found] == [better.info.run_id, linear.info.run_id]
    assert found[0].parameters == {"maxDepth": 5, "stepSize": 0.1}
    assert isinstance(found[0].parameters["maxDepth"], int)
    assert (found[0].seed, found[0].folds, found[0].features) == (7, 5, "runs:/abc")


def test_lower_log_loss_is_better(search):
    low, high = (search("gbt", loss, metric="log_loss") for loss in (0.3, 0.4))
    other = search("xgboost", 0.5, metric="log_loss")
    assert find_members([high, low, other])[0].run_id == low.info.run_id


def test_searches_by_different_metrics_are_refused(search):
    with pytest.raises(UserError, match="the same metric, but the best have: gbt f1, xgboost roc_auc"):
        find_members([search("gbt"), search("xgboost", metric="roc_auc")])


def test_of_two_searches_as_good_the_first_is_taken(search):
    first, second, other = search("gbt"), search("gbt"), search("xgboost")
    assert find_members([first, second, other])[0].run_id == first.info.run_id


def test_one_learner_alone_is_refused(search):
    with pytest.raises(UserError, match="at least two learners, but candidates only has gbt"):
        find_members([search("gbt"), search("gbt", 0.9)])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"folds": 3}, "the same folds, but the best have: gbt 5, xgboost 3"),
        (
            {"features": "runs:/def"},
            "the same features, but the best have: gbt runs:/abc, xgboost runs:/def",
        ),
    ],
)
def test_searches_that_do_not_go_together_are_refused(search, other, message):
    with pytest.raises(UserError, match=message):
        find_members([search("gbt"), search("xgboost", **other)])


def test_run_that_is_no_search_or_does_not_say_its_seed_is_refused(search, store):
    with mlflow.start_run() as active:
        pass
    with pytest.raises(UserError, match="which is not a finished search"):
        find_members([search("gbt"), mlflow.get_run(active.info.run_id)])
    tags = {"learner": "xgboost", "metric": "f1", "fold_scores": "[]"}
    with mlflow.start_run(tags=tags) as active:
        mlflow.log_metric("val_f1", 0.8)
    with pytest.raises(UserError, match="has no recorded seed: search again"):
        find_members([search("gbt"), mlflow.get_run(active.info.run_id)])
