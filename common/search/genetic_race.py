"""A race in which each learner has a genetic search."""

from collections.abc import Callable, Mapping
from typing import Any

from common.errors import UserError
from common.learning.learners import Learner
from common.search.breeding import Breeding
from common.search.genetic import GeneticSearch
from common.search.grid import grid_candidates
from common.search.race import Entrant, Race, racing_of, silent
from common.search.space import is_within, make_space


def genetic_race(
    spaces: Mapping[str, Any],
    learner: Learner,
    metric: str,
    breeding: Breeding,
    seed: int,
    tell: Callable[[str], None] = silent,
) -> Race:
    """Have learners race by a genetic search each; together they draw as many candidates as one would.

    Args:
        spaces: For each learner its `space` and `first`, candidates that start its first generation;
            learners that do not race are ignored.
        learner: The race.
        metric: The metric that ranks candidates.
        breeding: The settings of each search.
        seed: Seed of all random draws.
        tell: Receives a line about who goes on.

    Raises:
        UserError: A space is invalid, or no learner that races has one.
    """
    entrants = []
    for one in racing_of(spaces, learner, "space"):
        given = spaces[one.name]
        if not isinstance(given, dict) or set(given) != {"first", "space"}:
            raise UserError(f"space of {one.name} needs first and space, got {given!r}")
        space = make_space(given["space"], one)
        first = grid_candidates(given["first"], one)
        if strange := [candidate for candidate in first if not is_within(candidate, space)]:
            raise UserError(f"space of {one.name} does not contain its first candidate {strange[0]}")
        search = GeneticSearch(space, metric, breeding, seed, first)
        entrants.append(Entrant(one.name, first[0], search))
    return Race(entrants, metric, breeding.generations * breeding.population, tell)
