import mlflow
import pytest

from common.errors import UserError
from common.learning.learners import get_learner
from common.store.conf import load_grid
from common.store.get_or_run import StepRun
from steps.main import _grid_searches

GBT = get_learner("gbt")
FIRST = '{"maxDepth": [2, 4]}'


@pytest.fixture
def search(store):
    """A search that leaves what it was told to as its next grid; gives the grids it was given."""

    def make(*next_grids):
        given, left = [], list(next_grids)

        def search(grid):
            given.append(load_grid(grid, GBT))
            with mlflow.start_run() as run:
                mlflow.log_text(left.pop(0), "next_grid.yaml")
            return StepRun("train_grid", run.info.run_id, False, 0.0)

        return search, given

    return make


def test_each_round_searches_the_next_grid_of_the_one_before(search):
    run, given = search("maxDepth: [4, 5]\n", "maxDepth: [5, 6]\n", "maxDepth: [7]\n")
    searches = _grid_searches(run, FIRST, 3, GBT)
    assert given == [{"maxDepth": [2, 4]}, {"maxDepth": [4, 5]}, {"maxDepth": [5, 6]}]
    assert len(set(searches)) == 3


def test_rounds_end_when_there_is_nothing_new(search, capsys):
    run, given = search("maxDepth: [4]\n")
    assert len(_grid_searches(run, FIRST, 3, GBT)) == 1
    assert len(given) == 1
    assert "no further round" in capsys.readouterr().out


def test_grid_of_a_run_that_is_not_there_is_refused(store):
    with pytest.raises(UserError, match="artifact 'runs:/nope/next_grid.yaml' cannot be read"):
        load_grid("runs:/nope/next_grid.yaml", GBT)
