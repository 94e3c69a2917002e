"""Spaces: the range of each parameter that a genetic search draws from."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from common.errors import UserError
from common.learning.learners import Learner, Parameters, Range

# A parameter's distribution by its name.
Space = dict[str, BaseDistribution]


def make_space(content: Mapping[str, Any], learner: Learner) -> Space:
    """Make the distributions of a space as it was read: {low, high, log} or {choices} by parameter.

    Raises:
        UserError: it asks for what the learner does not have, or does not take.
    """
    return {name: _distribution(name, given, learner) for name, given in content.items()}


def _distribution(name: str, given: Any, learner: Learner) -> BaseDistribution:
    if name not in learner.parameters:
        allowed = ", ".join(learner.parameters)
        raise UserError(
            f"space has the parameter {name!r}, which learner {learner.name!r} does not: its "
            f"parameters are {allowed}"
        )
    kind = learner.parameters[name]
    if isinstance(given, dict) and set(given) == {"choices"}:
        choices = given["choices"]
        if not isinstance(choices, list) or not choices:
            raise UserError(f"space needs a list of at least one choice for {name}, got {choices!r}")
        return CategoricalDistribution([kind.check(f"{name} in space", value) for value in choices])
    keys = set(given) if isinstance(given, dict) else set()
    if not isinstance(kind, Range) or not {"low", "high"} <= keys <= {"low", "high", "log"}:
        wanted = "low, high and perhaps log, or choices" if isinstance(kind, Range) else "choices"
        raise UserError(f"space needs {wanted} for {name}, got {given!r}")
    low, high = (kind.check(f"{side} of {name} in space", given[side]) for side in ("low", "high"))
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise UserError(f"log of {name} in space must be true or false, got {log!r}")
    if low > high or (log and low <= 0):
        wrong = "above 0 for log" if log and low <= 0 else f"at most high ({high})"
        raise UserError(f"low of {name} in space must be {wrong}, got {low}")
    if kind.type is int:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def is_within(parameters: Parameters, space: Space) -> bool:
    """Tell whether a candidate sets just the parameters of a space, each within its range."""
    return parameters.keys() == space.keys() and all(
        space[name]._contains(space[name].to_internal_repr(value)) for name, value in parameters.items()
    )


def diversity(candidates: Sequence[Parameters], space: Space) -> float:
    """Return how far apart candidates lie: 0 where all are the same.

    The mean over all pairs and parameters of the distance in the parameter's range as it is drawn
    (0 to 1, logarithms where log); 0 or 1 for choices.
    """
    if len(candidates) < 2:
        return 0.0
    apart = [
        np.abs(np.subtract.outer(places, places)) if numeric else places[:, None] != places[None, :]
        for places, numeric in (_places(name, candidates, space) for name in space)
    ]
    pairs = len(candidates) * (len(candidates) - 1)
    return float(np.mean([distances.sum() / pairs for distances in apart]))


def _places(name: str, candidates: Sequence[Parameters], space: Space) -> tuple[np.ndarray, bool]:
    distribution = space[name]
    values = [candidate[name] for candidate in candidates]
    if not isinstance(distribution, IntDistribution | FloatDistribution):
        return np.array([str(value) for value in values]), False
    ends = np.array([distribution.low, distribution.high], float)
    places = np.array(values, float)
    if distribution.log:
        ends, places = np.log(ends), np.log(places)
    width = ends[1] - ends[0]
    return ((places - ends[0]) / width if width > 0 else np.zeros(len(places))), True
