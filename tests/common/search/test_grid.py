import pytest

from common.errors import UserError
from common.learning.learners import get_learner
from common.search.grid import adds_candidates, grid_candidates
from common.store.conf import load_grid

GBT = get_learner("gbt")


@pytest.mark.parametrize(("name", "number"), [("gbt_coarse", 54), ("gbt_fine", 9)])
def test_committed_grids_have_their_candidates(name, number):
    candidates = grid_candidates(load_grid(name, GBT), GBT)
    assert len({tuple(sorted(candidate.items())) for candidate in candidates}) == number


def test_grid_is_read_from_json_and_from_a_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("maxDepth: [2, 4]\n")
    assert load_grid(str(path), GBT) == load_grid('{"maxDepth": [2, 4]}', GBT) == {"maxDepth": [2, 4]}


def test_repeated_values_are_one_candidate():
    assert grid_candidates({"stepSize": [1, 1.0], "maxDepth": [3]}, GBT) == [
        {"stepSize": 1.0, "maxDepth": 3}
    ]


def test_grid_that_adds_nothing_is_told():
    tried = {"maxDepth": [2, 4], "maxIter": [5]}
    assert not adds_candidates({"maxIter": [5], "maxDepth": [4]}, tried, GBT)
    assert adds_candidates({"maxIter": [5], "maxDepth": [4, 6]}, tried, GBT)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            "nope",
            "grid 'nope' is unknown: give one of auto, gbt_coarse, gbt_fine, linear_reg",
        ),
        ('{"maxDepth": [', "grid cannot be read"),
        ("{}", "must map parameters to values"),
        ('{"depth": [3]}', "grid contains the parameter 'depth', which learner 'gbt' does not have"),
        ('{"maxDepth": []}', "grid needs a list of at least one value for maxDepth"),
        ('{"maxDepth": 3}', "grid needs a list of at least one value for maxDepth, got 3"),
        ('{"maxDepth": [31]}', "maxDepth in grid must be a whole number from 0 to 30, got 31"),
        ('{"maxDepth": [2.5]}', "maxDepth in grid must be a whole number from 0 to 30, got 2.5"),
        ('{"maxDepth": ["3"]}', "maxDepth in grid must be a whole number from 0 to 30, got '3'"),
        ('{"maxIter": [true]}', "maxIter in grid must be a whole number .*, got True"),
        ('{"stepSize": [0]}', "stepSize in grid must be a number from 1e-06 to 1, got 0"),
    ],
)
def test_bad_grid_is_refused_by_name(grid, message):
    with pytest.raises(UserError, match=message):
        grid_candidates(load_grid(grid, GBT), GBT)
