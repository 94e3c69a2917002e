"""How all charts show a candidate: its text, its colour and its position on an axis; and long names."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from common.learning.metrics import shown_score
from common.plots.chart import BLUE, RED
from common.search.findings.candidates import Candidates
from common.search.findings.effects import MOST_VALUES, find_levels

# The worst candidates, in percent, share one colour, so that the better ones can be told apart.
WORST_PERCENT = 20
# Multiples of the golden ratio, modulo 1, never coincide, so jittered dots hardly overlap.
GOLDEN = 0.618034
ONE = {"labels": "label", "strata": "stratum"}


def and_alike(names: Sequence[str], values: np.ndarray, first: int, what: str) -> str:
    """Name the first of equal ones, with the number of the others: `a`, or `a and 2 other labels`.

    Args:
        names: Their names.
        values: Their values.
        first: The place of the one to name.
        what: What they are, one of ONE.
    """
    others = int(np.sum(values == values[first])) - 1
    more = f" and {others} other {what if others > 1 else ONE[what]}"
    return names[first] + (more if others else "")


def hover(candidates: Candidates) -> list[str]:
    """Return the hover text of each candidate."""
    return [
        f"{name}\n{candidates.metric} {shown_score(candidates.metric, mean)}"
        for name, mean in zip(candidates.names, candidates.means, strict=True)
    ]


def colour_range(candidates: Candidates) -> tuple[float, float]:
    """Return the lowest and highest score of the colour scale."""
    means = candidates.means
    if candidates.sign < 0:
        return float(means.min()), float(np.percentile(means, 100 - WORST_PERCENT))
    return float(np.percentile(means, WORST_PERCENT)), float(means.max())


def aside(candidates: Candidates) -> str:
    """Return the place of a legend: where late or slow candidates would be that are bad."""
    return "lower right" if candidates.sign > 0 else "upper right"


def is_few(values: pd.Series) -> bool:
    """Tell whether a parameter's values are shown as categories, not along a numeric scale."""
    return values.nunique() <= MOST_VALUES or not pd.api.types.is_numeric_dtype(values)


def places(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return the index of each candidate's value, and the labels of the values."""
    levels = find_levels(values)
    place = np.asarray(sum(number * level.members for number, level in enumerate(levels)), float)
    return place, [level.label for level in levels]


def beside(count: int, width: float) -> np.ndarray:
    """Return sideways offsets for dots that would otherwise overlap.

    Args:
        count: Number of dots.
        width: Total width of the offsets, centred on 0.
    """
    return width * (np.modf(np.arange(count) * GOLDEN)[0] - 0.5)


def shortened(names: Sequence[str], longest: int) -> list[str]:
    """Return names with the middle of long ones left out; those that differ stay different.

    Args:
        names: The names, all different.
        longest: Number of characters of a name; up to twice as many, or a number more, if that tells
            some apart.
    """
    for most in (longest, longest * 3 // 2, longest * 2):
        shown = [_shortened(name, most) for name in names]
        if len(set(shown)) == len(shown):
            return shown
    return [f"{name} #{place}" if shown.count(name) > 1 else name for place, name in enumerate(shown, 1)]


def _shortened(name: str, longest: int) -> str:
    short = " ".join(name.split())
    if len(short) <= longest:
        return short
    end = (longest - 1) // 2
    return f"{short[: longest - 1 - end]}…{short[len(short) - end :]}"


def first_red(bars: Sequence[object] | np.ndarray) -> list[str]:
    """Return the colours of bars of which the first, the worst, stands out."""
    return [RED, *[BLUE] * (len(bars) - 1)]
