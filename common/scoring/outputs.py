"""The columns with which a model answers, by task."""

from collections.abc import Sequence

from common.data.target import BINARY, MULTICLASS, Target
from common.scoring.portable_model import PREDICTION, PROBABILITY


def outputs_of(target: Target) -> dict[str, type]:
    """Return the columns of a model's answer, in order, and the type of each: str or float.

    The first is the prediction, a label's text or a number. A model of two labels adds the probability
    of the positive one, and a model of several that of each label.
    """
    if target.task == BINARY:
        return {PREDICTION: str, PROBABILITY: float}
    if target.task == MULTICLASS:
        return {PREDICTION: str, **dict.fromkeys(probability_names(target.labels), float)}
    return {PREDICTION: float}


def probability_names(labels: Sequence[str]) -> list[str]:
    """Return the names of the columns with each label's probability.

    Spark ignores case in names, so a label that differs from an earlier one in case alone is numbered.
    """
    names: list[str] = []
    for label in labels:
        name, copy = f"{PROBABILITY}_{label}", 1
        while name.lower() in {known.lower() for known in names}:
            copy += 1
            name = f"{PROBABILITY}_{label} {copy}"
        names.append(name)
    return names
