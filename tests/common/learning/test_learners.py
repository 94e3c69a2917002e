import pytest

from common.data.target import MULTICLASS
from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner
from common.search.grid import grid_candidates
from common.store.conf import load_grid

EACH = [(name, task) for name, learner in LEARNERS.items() for task in learner.fittings]


@pytest.mark.parametrize(("name", "task"), EACH)
def test_default_grid_of_every_learner_is_within_its_ranges(spark, name, task):
    learner = get_learner(name)
    for candidate in grid_candidates(load_grid("auto", learner), learner):
        estimator = learner.fitting(task).estimator(candidate, 42)
        assert all(estimator.getOrDefault(key) == value for key, value in candidate.items())


def test_unknown_learner_gets_the_list():
    with pytest.raises(UserError, match="learner must be one of gbt.*, got 'knn'"):
        get_learner("knn")


def test_learner_that_lacks_a_task_names_those_that_have_it():
    message = (
        "learner 'gbt' does not have the task multiclass, only binary, regression: give "
        "learner=xgboost or random_forest or logistic_regression"
    )
    with pytest.raises(UserError, match=message):
        get_learner("gbt").fitting(MULTICLASS)
