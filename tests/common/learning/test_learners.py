import pytest

from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner, race
from common.search.grid import grid_candidates
from common.store.conf import load_grid

EACH = [(name, task) for name, learner in LEARNERS.items() for task in learner.fittings]


@pytest.mark.parametrize(("name", "task"), EACH)
def test_default_grid_of_every_learner_is_within_its_ranges(spark, name, task):
    learner = get_learner(name)
    for candidate in grid_candidates(load_grid("auto", learner), learner):
        estimator = learner.fitting(task).estimator(candidate, 42)
        assert all(estimator.getOrDefault(key) == value for key, value in candidate.items())


@pytest.mark.parametrize(("name", "task"), EACH)
def test_every_learner_takes_the_weights_of_rows(spark, name, task):
    """Those of a column, or of balance=true."""
    assert get_learner(name).fitting(task).estimator({}, 42).hasParam("weightCol")


def test_unknown_learner_gets_the_list():
    with pytest.raises(UserError, match="learner must be one of auto, gbt.*, got 'knn'"):
        get_learner("knn")


def test_learner_that_lacks_a_task_names_those_that_have_it():
    message = (
        "learner 'gbt' does not have the task multiclass, only binary, regression: give "
        "learner=xgboost or random_forest or logistic_regression"
    )
    with pytest.raises(UserError, match=message):
        get_learner("gbt").fitting(MULTICLASS)


def test_race_fits_each_candidate_by_its_own_learner():
    racing = race([LEARNERS["gbt"], LEARNERS["xgboost"]])
    fitting = racing.fitting(BINARY)
    tree = fitting.estimator({"learner": "gbt", "maxDepth": 3}, 7)
    assert (type(tree).__name__, tree.getMaxDepth(), tree.getSeed()) == ("GBTClassifier", 3, 7)
    assert fitting.boosting({"learner": "gbt", "maxIter": 9}).trees == 9
    assert fitting.boosting({"learner": "xgboost", "n_estimators": 8}).trees == 8
    assert racing.chosen({"learner": "xgboost", "gamma": 1}) == (LEARNERS["xgboost"], {"gamma": 1})
    assert LEARNERS["gbt"].chosen({"maxDepth": 3}) == (LEARNERS["gbt"], {"maxDepth": 3})


def test_race_has_the_tasks_and_engines_of_its_learners():
    racing = race([LEARNERS["linear_svc"], LEARNERS["xgboost"]])
    assert set(racing.fittings) == {BINARY, MULTICLASS, REGRESSION}
    assert racing.engines == ("boosting", "mllib")
    assert get_learner("auto").entrants == tuple(LEARNERS.values())


def test_learners_permit_the_same_values_of_a_parameter_that_they_share():
    kinds = {}
    for learner in LEARNERS.values():
        for name, kind in learner.parameters.items():
            assert kinds.setdefault(name, kind) == kind, name


def test_candidate_that_stopped_is_fitted_with_its_trees():
    found = LEARNERS["xgboost"].fitted({"n_estimators": 900, "early_stopping_rounds": 9, "gamma": 1}, 77)
    assert found == {"n_estimators": 77, "gamma": 1}
    given = {"n_estimators": 900, "gamma": 1}
    assert LEARNERS["xgboost"].fitted(given, None) == given
