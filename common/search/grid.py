"""Grids: every combination of the values listed for the parameters."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from common.errors import UserError
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.search.result import candidate_name
from common.search.search import Field

# Lists of values by parameter, or several of these.
Grid = dict[str, Any] | list[dict[str, Any]]


def adds_candidates(grid: Grid, earlier: Grid, learner: Learner) -> bool:
    """Return whether a grid has a combination that an earlier grid lacks.

    Raises:
        UserError: One of the grids is invalid; see `grid_candidates`.
    """
    known = {candidate_name(candidate) for candidate in grid_candidates(earlier, learner)}
    return any(candidate_name(candidate) not in known for candidate in grid_candidates(grid, learner))


def grid_candidates(grid: Grid, learner: Learner) -> list[Parameters]:
    """Return every distinct combination of a grid's values, with the last parameter changing fastest.

    Several grids, as in scikit-learn's `ParameterGrid`, follow one another.

    Raises:
        UserError: The learner does not have a parameter, a list is empty, or a value is not permitted.
    """
    if isinstance(grid, list):
        _check_alike(grid, learner)
        found = [candidate for one in grid for candidate in grid_candidates(one, learner)]
        return list({candidate_name(candidate): candidate for candidate in found}.values())
    values = {}
    for name, listed in grid.items():
        if name not in learner.parameters:
            allowed = ", ".join(learner.parameters)
            raise UserError(
                f"grid contains the parameter {name!r}, which learner {learner.name!r} does not have: "
                f"its parameters are {allowed}"
            )
        if not isinstance(listed, list) or not listed:
            raise UserError(f"grid needs a list of at least one value for {name}, got {listed!r}")
        checked = [learner.parameters[name].check(f"{name} in grid", value) for value in listed]
        values[name] = list(dict.fromkeys(checked))
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]


def _check_alike(grids: list[dict[str, Any]], learner: Learner) -> None:
    """Refuse grids that set different parameters: what one leaves out has no value to compare."""
    if not grids or not all(isinstance(one, dict) and one for one in grids):
        raise UserError(f"grid of {learner.name} must map parameters to values, got {grids!r}")
    for one in grids[1:]:
        if apart := sorted(one.keys() ^ grids[0].keys()):
            raise UserError(
                f"the grids of {learner.name} must set the same parameters: {', '.join(apart)} is only "
                "in some of them"
            )


class GridSearch:
    """A proposer of all candidates of a grid at once."""

    def __init__(self, grid: Grid, learner: Learner) -> None:
        """Start a search.

        Args:
            grid: Lists of values by parameter; or a list of such grids.
            learner: The learner that has the parameters.

        Raises:
            UserError: The grid is invalid; see `grid_candidates`.
        """
        self.candidates = grid_candidates(grid, learner)
        self.names = list(dict.fromkeys(name for one in self.candidates for name in one))
        self.most = len(self.candidates)
        self.generations: Mapping[str, Sequence[int]] = {}

    def batches(self, search: Field) -> Iterator[None]:
        """Have all candidates scored."""
        search.evaluate(self.candidates)
        yield

    def table(self) -> None:
        """Return None: a grid has no generations."""
