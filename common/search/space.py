"""Search spaces: for each parameter, the range that a genetic search draws from."""

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
from common.learning.learners import Learner
from common.learning.parameters import Parameters, Range

# Distributions by parameter name.
Space = dict[str, BaseDistribution]


def make_space(content: Mapping[str, Any], learner: Learner) -> Space:
    """Convert a space from plain values to distributions.

    Args:
        content: For each parameter, {low, high, log} (log is optional) or {choices}.
        learner: The learner that has the parameters.

    Raises:
        UserError: The learner does not have a parameter, or does not permit a value.
    """
    return {name: _distribution(name, given, learner) for name, given in content.items()}


def _distribution(name: str, given: Any, learner: Learner) -> BaseDistribution:
    if name not in learner.parameters:
        allowed = ", ".join(learner.parameters)
        raise UserError(
            f"space contains the parameter {name!r}, which learner {learner.name!r} does not have: "
            f"its parameters are {allowed}"
        )
    kind = learner.parameters[name]
    if isinstance(given, dict) and set(given) == {"choices"}:
        choices = given["choices"]
        if not isinstance(choices, list) or not choices:
            raise UserError(f"space needs a list of at least one choice for {name}, got {choices!r}")
        return CategoricalDistribution([kind.check(f"{name} in space", value) for value in choices])
    keys = set(given) if isinstance(given, dict) else set()
    if not isinstance(kind, Range) or not {"low", "high"} <= keys <= {"low", "high", "log"}:
        wanted = "low, high and optionally log, or choices" if isinstance(kind, Range) else "choices"
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
    """Return whether a candidate sets exactly the parameters of a space, each within its range."""
    return parameters.keys() == space.keys() and all(
        space[name]._contains(space[name].to_internal_repr(value)) for name, value in parameters.items()
    )


def diversity(candidates: Sequence[Parameters], space: Space) -> float:
    """Return the diversity of candidates, in [0, 1]; 0 if all are equal.

    It is the mean distance over all pairs and parameters. Distances are relative to the parameter's range
    (of the logarithms if the parameter is drawn on a log scale); for choices they are 0 or 1.
    """
    if len(candidates) < 2 or not space:
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
