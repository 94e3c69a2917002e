import pytest

from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner
from common.search.grid import grid_candidates
from common.store.conf import load_grid


@pytest.mark.parametrize("name", LEARNERS)
def test_default_grid_of_every_learner_is_within_its_ranges(spark, name):
    learner = get_learner(name)
    for candidate in grid_candidates(load_grid("auto", learner), learner):
        estimator = learner.estimator(candidate, 42)
        assert all(estimator.getOrDefault(key) == value for key, value in candidate.items())


def test_unknown_learner_gets_the_list():
    with pytest.raises(UserError, match="learner must be one of gbt.*, got 'knn'"):
        get_learner("knn")
