"""The search of a grid that a user names: checked before a run is opened, and made for its learner."""

from collections.abc import Callable

from common.learning.learners import Learner
from common.learning.metrics import DEFAULT_METRIC
from common.search.engines.choice import check_engine
from common.search.grid import GridSearch
from common.search.race import grid_race, silent
from common.search.search import Proposer
from common.store.conf import load_grid, meant_learner


def grid_proposer(
    grid: str, learner: Learner, metric: str, tell: Callable[[str], None] = silent
) -> Proposer:
    """Return the search of a grid, or the race over one grid a learner.

    Args:
        grid: See `load_grid`.
        learner: The learner, or a race.
        metric: The metric that ranks candidates.
        tell: Receives a line about who goes on in a race.

    Raises:
        UserError: The grid does not exist or does not fit the learner.
    """
    content = load_grid(grid, learner)
    if learner.entrants:
        return grid_race(content, learner, metric, tell)
    return GridSearch(content, learner)


def check_grid(name: str, grid: str, engine: str) -> None:
    """Refuse a grid that a learner cannot search; of no learner's name, one that no default can.

    Raises:
        UserError: The learner does not exist, or the grid or engine does not fit it.
    """
    learner = meant_learner(name, lambda one: load_grid(grid, one))
    check_engine(learner, engine, grid_proposer(grid, learner, DEFAULT_METRIC).names)
