"""The genetic search of a space that a user names: checked before a run opens, and made for a learner."""

from collections.abc import Callable, Sequence

from common.learning.learners import Learner
from common.learning.metrics import DEFAULT_METRIC
from common.learning.parameters import Parameters
from common.search.breeding import Breeding
from common.search.engines.choice import check_engine
from common.search.genetic import GeneticSearch
from common.search.genetic_race import genetic_race
from common.search.race import silent
from common.search.search import Proposer
from common.search.space import Space, is_within, make_space
from common.store.conf import load_space, meant_learner


def genetic_proposer(
    space: str,
    learner: Learner,
    metric: str,
    breeding: Breeding,
    seed: int,
    first: Sequence[Parameters] = (),
    tell: Callable[[str], None] = silent,
) -> Proposer:
    """Return the genetic search of a space, or the race over one space a learner.

    Args:
        space: See `load_space`.
        learner: The learner, or a race.
        metric: The metric that ranks candidates.
        breeding: The settings of the search.
        seed: Seed of all random draws.
        first: Candidates that start the first generation; a race has its own.
        tell: Receives a line about who goes on in a race, and how many of the first candidates can start.

    Raises:
        UserError: The space does not exist or does not fit the learner.
    """
    content = load_space(space, learner)
    if learner.entrants:
        return genetic_race(content, learner, metric, breeding, seed, tell)
    drawn_from = make_space(content, learner)
    if first:
        tell(told_first(first, drawn_from))
    return GeneticSearch(drawn_from, metric, breeding, seed, first)


def told_first(first: Sequence[Parameters], space: Space) -> str:
    """Say how many of the best candidates of another search start this one.

    Without it a grid of fewer parameters than the space, which has no candidate there, went unnoticed.
    """
    count, within = len(first), sum(is_within(candidate, space) for candidate in first)
    best = f"best {'candidate' if count == 1 else f'{count} candidates'} of warm_start"
    if within == count:
        return f"starting from the {best}"
    outside = f"outside the space of {', '.join(space)}"
    if not within:
        return f"not starting from the {best}: {outside}"
    others = "other is" if count - within == 1 else "others are"
    return f"starting from {within} of the {best}: the {others} {outside}"


def check_space(name: str, space: str, engine: str) -> None:
    """Refuse a search space that a learner cannot search; see `grids.check_grid`."""
    learner = meant_learner(name, lambda one: load_space(space, one))
    proposer = genetic_proposer(space, learner, DEFAULT_METRIC, Breeding(), seed=0)
    check_engine(learner, engine, proposer.names)
