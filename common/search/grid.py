"""Grids: every combination of the values listed for each parameter."""

from itertools import product
from typing import Any

from common.errors import UserError
from common.learning.learners import Learner, Parameters
from common.search.result import candidate_name


def adds_candidates(grid: dict[str, Any], earlier: dict[str, Any], learner: Learner) -> bool:
    """Tell whether a grid has a combination that an earlier one has not.

    Raises:
        UserError: as `grid_candidates`.
    """
    known = {candidate_name(candidate) for candidate in grid_candidates(earlier, learner)}
    return any(candidate_name(candidate) not in known for candidate in grid_candidates(grid, learner))


def grid_candidates(grid: dict[str, Any], learner: Learner) -> list[Parameters]:
    """Return every combination of a grid's values, each once, the last parameter changing fastest.

    Raises:
        UserError: the learner has no such parameter, a list is empty, or a value is out of range.
    """
    values = {}
    for name, listed in grid.items():
        if name not in learner.parameters:
            allowed = ", ".join(learner.parameters)
            raise UserError(
                f"grid has the parameter {name!r}, which learner {learner.name!r} does not: its "
                f"parameters are {allowed}"
            )
        if not isinstance(listed, list) or not listed:
            raise UserError(f"grid needs a list of at least one value for {name}, got {listed!r}")
        checked = [learner.parameters[name].check(f"{name} in grid", value) for value in listed]
        values[name] = list(dict.fromkeys(checked))
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
