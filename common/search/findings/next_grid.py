"""The grid to try next: around the best, and beyond it where it lies on the edge."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from common.learning.learners import Choice, Range
from common.search.findings.effects import MOST_VALUES, PARTS, is_logarithmic

# No more candidates than the coarse grid has.
MOST_CANDIDATES = 54
DIGITS = 3

Kind = Range | Choice


def edge_of(values: pd.Series, best: object, kind: Kind) -> str:
    """Say on which edge of the numbers tried the best lies: lower, upper or none (empty).

    The end of what the learner takes is no edge: there is nothing beyond.
    """
    if not isinstance(kind, Range) or not isinstance(best, (int, float)) or values.nunique() < 2:
        return ""
    if best == values.max() and best < kind.high:
        return "upper"
    return "lower" if best == values.min() and best > kind.low else ""


def next_values(
    values: pd.Series, best: object, kind: Kind, kept: Sequence[object], steps: int
) -> list[object]:
    """Return the values of a parameter to try next: the best, then the others as they are wanted.

    Args:
        values: of all candidates, the better candidates first.
        best: of the best candidate.
        kind: what the learner takes.
        kept: values that are not clearly worse; of many numbers they do not matter.
        steps: how many values to try beyond an edge: 0 leaves the parameter as it is.
    """
    if steps == 0 or values.nunique() < 2:
        return [best]
    if not isinstance(kind, Range):
        return list(dict.fromkeys([best, *(value for value in values if value in kept)]))
    assert isinstance(best, (int, float))
    edge, log = edge_of(values, best, kind), _in_logarithms(values)
    inside = _inside(values, best, kind, kept, log, edge)
    if edge:
        inner = _inwards(values, best, edge, log)
        first, *more = (_beyond(inner, best, step, log) for step in range(1, steps + 1))
        inside = [first, *inside, *more]
    allowed = [_rounded(min(max(value, kind.low), kind.high), kind) for value in inside]
    return list(dict.fromkeys([kind.type(best), *allowed]))


def shrink(grid: Mapping[str, Sequence[Any]], order: Sequence[str]) -> dict[str, list[Any]]:
    """Leave values out until no more than MOST_CANDIDATES combinations are left.

    Args:
        grid: values by parameter, those that are wanted most first: the first of each stays.
        order: the parameters, those that matter least first: they lose their last values first.
    """
    left = {name: list(values) for name, values in grid.items()}
    while math.prod(map(len, left.values())) > MOST_CANDIDATES:
        most = max(map(len, left.values()))
        next(left[name] for name in order if len(left[name]) == most).pop()
    return left


def _inside(
    values: pd.Series, best: float, kind: Range, kept: Sequence[object], log: bool, edge: str
) -> list[float]:
    """Return what lies between the best and its neighbours, towards the better one first."""
    sides = [side for side in _neighbours(values, best) if side != best]
    if values.nunique() > MOST_VALUES:
        return sides
    if edge:
        sides = [side for side in sides if side in kept]
    sides.sort(key=values.tolist().index)
    return [_between(side, best, log, kind, kept) for side in sides]


def _in_logarithms(values: pd.Series) -> bool:
    """Tell whether the values lie along a logarithmic scale: by their ends, or by even factors."""
    if is_logarithmic(values):
        return True
    tried = sorted(values.unique())
    if tried[0] <= 0 or len(tried) > MOST_VALUES:
        return False
    factors = [high / low for low, high in pairwise(tried)]
    return max(factors) - min(factors) < 0.01 and factors[0] >= 2


def _neighbours(values: pd.Series, best: float) -> tuple[float, float]:
    """Return what lies next to the best: values tried, or of many the middle of the good ones."""
    near = values
    if values.nunique() > MOST_VALUES:
        near = values.head(max(len(values) // 4, 4))
    below, above = near[near < best], near[near > best]
    if values.nunique() > MOST_VALUES:
        low = below.median() if len(below) else (values.min() + best) / 2
        high = above.median() if len(above) else (values.max() + best) / 2
        return float(low), float(high)
    return float(below.max()) if len(below) else best, float(above.min()) if len(above) else best


def _inwards(values: pd.Series, best: float, edge: str, log: bool) -> float:
    """Return what is one step from an edge: the value before it, or of many a part of the range."""
    if values.nunique() <= MOST_VALUES:
        below, above = _neighbours(values, best)
        return below if edge == "upper" else above
    low, high = float(values.min()), float(values.max())
    if log:
        factor = (high / low) ** (1 / PARTS)
        return best / factor if edge == "upper" else best * factor
    step = (high - low) / PARTS
    return best - step if edge == "upper" else best + step


def _beyond(inner: float, best: float, step: int, log: bool) -> float:
    if log and inner > 0:
        return float(best * (best / inner) ** step)
    return best + (best - inner) * step


def _between(side: float, best: float, log: bool, kind: Range, kept: Sequence[object]) -> float:
    """Return the middle; where there is none, the neighbour itself, unless it is clearly worse."""
    middle = math.sqrt(side * best) if log and side > 0 < best else (side + best) / 2
    if _rounded(middle, kind) not in (best, side):
        return middle
    return side if side in kept else best


def _rounded(value: float, kind: Range) -> int | float:
    if kind.type is int:
        return round(value)
    return float(np.format_float_positional(value, precision=DIGITS, fractional=False))
