"""How a candidate is shown in all pictures: its words, its colour, its place on an axis."""

import numpy as np
import pandas as pd

from common.search.findings.candidates import Candidates
from common.search.findings.effects import MOST_VALUES, find_levels

# Colours begin where so many of the candidates are worse, so that the better ones can be told apart.
WORST_PERCENT = 20
# The golden ratio's steps never fall together, so dots beside a value hardly cover each other.
GOLDEN = 0.618034


def hover(candidates: Candidates) -> list[str]:
    """Return what a pointer over each candidate shows."""
    return [
        f"{name}\n{candidates.metric} {mean:.4f}"
        for name, mean in zip(candidates.names, candidates.means, strict=True)
    ]


def colour_range(candidates: Candidates) -> tuple[float, float]:
    """Return the scores between which colours differ."""
    means = candidates.means
    if candidates.sign < 0:
        return float(means.min()), float(np.percentile(means, 100 - WORST_PERCENT))
    return float(np.percentile(means, WORST_PERCENT)), float(means.max())


def is_few(values: pd.Series) -> bool:
    """Tell whether a parameter's values stand beside each other, instead of along a scale."""
    return values.nunique() <= MOST_VALUES or not pd.api.types.is_numeric_dtype(values)


def places(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return for each candidate the number of its value, and the values' texts."""
    levels = find_levels(values)
    place = np.asarray(sum(number * level.members for number, level in enumerate(levels)), float)
    return place, [level.label for level in levels]


def beside(count: int, width: float) -> np.ndarray:
    """Return steps to the side, within `width`, for dots that would cover each other."""
    return width * (np.modf(np.arange(count) * GOLDEN)[0] - 0.5)
