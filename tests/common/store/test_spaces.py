"""What a genetic search is started with."""

import pytest

from common.learning.learners import get_learner
from common.search.breeding import Breeding
from common.search.genetic import GeneticSearch
from common.store.spaces import genetic_proposer

SPACE = '{"maxDepth": {"low": 2, "high": 5}, "maxIter": {"low": 5, "high": 20}}'
INSIDE = [{"maxDepth": depth, "maxIter": 10} for depth in (2, 3)]
OUTSIDE = [{"maxDepth": depth, "maxIter": 10} for depth in (6, 7)]

BEYOND = "outside the space of maxDepth, maxIter"


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ([], []),
        (INSIDE[:1], ["starting from the best candidate of warm_start"]),
        (INSIDE, ["starting from the best 2 candidates of warm_start"]),
        (
            [*INSIDE, OUTSIDE[0]],
            [f"starting from 2 of the best 3 candidates of warm_start: the other is {BEYOND}"],
        ),
        (
            [INSIDE[0], *OUTSIDE],
            [f"starting from 1 of the best 3 candidates of warm_start: the others are {BEYOND}"],
        ),
        # A candidate of a grid with fewer parameters.
        ([{"maxDepth": 2}], [f"not starting from the best candidate of warm_start: {BEYOND}"]),
    ],
)
def test_candidates_of_a_warm_start_that_do_not_start_are_told(first, told):
    lines = []
    search = genetic_proposer(SPACE, get_learner("gbt"), "f1", Breeding(4), 1, first, lines.append)
    assert lines == told
    assert isinstance(search, GeneticSearch)
    started = len([one for one in first if one in INSIDE])
    assert len(search.study.get_trials(deepcopy=False)) == started
