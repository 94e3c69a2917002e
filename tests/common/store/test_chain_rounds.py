import mlflow
import pytest

from common.errors import UserError
from common.learning.learners import get_learner
from common.store import chain
from common.store.chain import Chain
from common.store.conf import load_grid
from common.store.get_or_run import StepRun

GBT = get_learner("gbt")
FIRST = '{"maxDepth": [2, 4]}'


@pytest.fixture
def search(store, monkeypatch):
    """Stand-ins for searches, with given next grids; returns the grids that they received."""

    def make(*next_grids):
        given, left = [], list(next_grids)

        def search(step, parameters, use_cache, experiment_id):
            given.append(load_grid(parameters["grid"], GBT))
            with mlflow.start_run() as run:
                mlflow.log_text(left.pop(0), "next_grid.yaml")
            return StepRun(step, run.info.run_id, False, 0.0)

        monkeypatch.setattr(chain, "get_or_run", search)
        return given

    return make


def rounds(store, tell=print):
    return Chain(store, {"grid": FIRST}, True, None).search_grids("runs:/0", 3, GBT, tell)


def test_each_round_searches_the_next_grid_of_the_one_before(search, store):
    given = search("maxDepth: [4, 5]\n", "maxDepth: [5, 6]\n", "maxDepth: [7]\n")
    searches = rounds(store)
    assert given == [{"maxDepth": [2, 4]}, {"maxDepth": [4, 5]}, {"maxDepth": [5, 6]}]
    assert len(set(searches)) == 3


def test_rounds_end_when_there_is_nothing_new(search, store):
    given = search("maxDepth: [4]\n")
    told = []
    assert len(rounds(store, told.append)) == 1
    assert len(given) == 1
    assert "no further round" in told[0]


def test_grid_of_a_run_that_is_not_there_is_refused(store):
    with pytest.raises(UserError, match="artifact 'runs:/nope/next_grid.yaml' cannot be read"):
        load_grid("runs:/nope/next_grid.yaml", GBT)


def test_round_after_a_race_is_one_of_the_learner_that_won(store, monkeypatch):
    given = []

    def search(step, parameters, use_cache, experiment_id):
        given.append((parameters["learner"], parameters["grid"]))
        with mlflow.start_run(tags={"learner": "gbt"}) as run:
            mlflow.log_text(f"maxDepth: [{4 + len(given)}]\n", "next_grid.yaml")
        return StepRun(step, run.info.run_id, False, 0.0)

    monkeypatch.setattr(chain, "get_or_run", search)
    raced = {"learner": "auto", "grid": '{"gbt": {"maxDepth": [2, 4]}, "xgboost": {"max_depth": [5]}}'}
    searches = Chain(store, raced, True, None).search_grids("runs:/0", 2, get_learner("auto"), print)
    assert given == [("auto", raced["grid"]), ("gbt", f"{searches[0]}/next_grid.yaml")]
