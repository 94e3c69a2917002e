"""The grid to try next: values around the best candidate, and beyond it if it is on an edge."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from common.learning.parameters import Choice, Range
from common.search.findings.effects import MOST_VALUES, PARTS, is_logarithmic

# The size of the coarse grid.
MOST_CANDIDATES = 54
DIGITS = 3

Kind = Range | Choice


def edge_of(values: pd.Series, best: object, kind: Kind) -> str:
    """Return the edge of the values tried on which the best value lies: lower, upper or empty for none.

    A bound of the learner's range is not an edge, since no value lies beyond it.
    """
    if not isinstance(kind, Range) or not isinstance(best, (int, float)) or values.nunique() < 2:
        return ""
    if best == values.max() and best < kind.high:
        return "upper"
    return "lower" if best == values.min() and best > kind.least else ""


def next_values(
    values: pd.Series,
    best: object,
    kind: Kind,
    kept: Sequence[object],
    steps: int,
    worse: Sequence[tuple[Any, Any]] = (),
) -> list[object]:
    """Return the values of a parameter to try next: the best first, then the others by priority.

    Args:
        values: The parameter's values in all candidates, better candidates first.
        best: The best candidate's value.
        kind: The values that the learner permits.
        kept: Values that are not clearly worse; not used for a number with many values.
        steps: Number of values to try beyond an edge; with 0 the parameter keeps its best value.
        worse: The ends of ranges that are clearly worse, for a number with many values.
    """
    if steps == 0 or values.nunique() < 2:
        return [best]
    if not isinstance(kind, Range):
        return list(dict.fromkeys([best, *(value for value in values if value in kept)]))
    assert isinstance(best, (int, float))
    edge, log = edge_of(values, best, kind), _in_logarithms(values)
    inside = _inside(values, best, kind, kept, log, edge)
    many = values.nunique() > MOST_VALUES
    inside = [_outside(value, best, worse, log) for value in inside] if many else inside
    if edge:
        inner = _inwards(values, best, edge, log)
        first, *more = (_beyond(inner, best, step, log) for step in range(1, steps + 1))
        inside = [first, *inside, *more]
    allowed = [_rounded(min(max(value, kind.least), kind.high), kind) for value in inside]
    if many:
        # Rounding may bring a value back to the end of a range.
        allowed = [value for value in allowed if not _is_in(value, worse)]
    return list(dict.fromkeys([kind.type(best), *allowed]))


def shrink(grid: Mapping[str, Sequence[Any]], order: Sequence[str]) -> dict[str, list[Any]]:
    """Remove values until at most MOST_CANDIDATES combinations are left.

    Args:
        grid: Values by parameter, in order of priority; the first value of each is never removed.
        order: Names of the parameters, least important first. Among the longest lists, the first in this
            order loses its last value.
    """
    left = {name: list(values) for name, values in grid.items()}
    while math.prod(map(len, left.values())) > MOST_CANDIDATES:
        most = max(map(len, left.values()))
        next(left[name] for name in order if len(left[name]) == most).pop()
    return left


def _inside(
    values: pd.Series, best: float, kind: Range, kept: Sequence[object], log: bool, edge: str
) -> list[float]:
    """Return values between the best and its neighbours, the better neighbour's first."""
    sides = [side for side in _neighbours(values, best, log) if side != best]
    if values.nunique() > MOST_VALUES:
        return sides
    if edge:
        sides = [side for side in sides if side in kept]
    sides.sort(key=values.tolist().index)
    return [_between(side, best, log, kind, kept) for side in sides]


def _in_logarithms(values: pd.Series) -> bool:
    """Return whether the values are on a log scale: a wide range, or a constant factor between them."""
    if is_logarithmic(values):
        return True
    tried = sorted(values.unique())
    if tried[0] <= 0 or len(tried) > MOST_VALUES:
        return False
    factors = [high / low for low, high in pairwise(tried)]
    return max(factors) - min(factors) < 0.01 and factors[0] >= 2


def _neighbours(values: pd.Series, best: float, log: bool) -> tuple[float, float]:
    """Return the best value's neighbours: values tried, or if there are many, medians of good values."""
    if values.nunique() <= MOST_VALUES:
        below, above = values[values < best], values[values > best]
        return float(below.max()) if len(below) else best, float(above.min()) if len(above) else best
    near = values.head(max(len(values) // 4, 4))
    below, above = near[near < best], near[near > best]
    low = _median(below, log) if len(below) else _middle(float(values.min()), best, log)
    high = _median(above, log) if len(above) else _middle(float(values.max()), best, log)
    return low, high


def _median(values: pd.Series, log: bool) -> float:
    return float(np.exp(np.log(values).median()) if log else values.median())


def _middle(one: float, other: float, log: bool) -> float:
    return math.sqrt(one * other) if log and one > 0 < other else (one + other) / 2


def _is_in(value: float, ranges: Sequence[tuple[Any, Any]]) -> bool:
    return any(low <= value <= high for low, high in ranges)


def _outside(value: float, best: float, worse: Sequence[tuple[Any, Any]], log: bool) -> float:
    """Return a value, or the middle before the first range that is worse if it is in one."""
    if not _is_in(value, worse):
        return value
    if value > best:
        return _middle(min(low for low, _ in worse if low > best), best, log)
    return _middle(max(high for _, high in worse if high < best), best, log)


def _inwards(values: pd.Series, best: float, edge: str, log: bool) -> float:
    """Return the value one step inside an edge: the next value tried, or a part of the range if many."""
    if values.nunique() <= MOST_VALUES:
        below, above = _neighbours(values, best, log)
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
    """Return the midpoint; if rounding leaves none, the neighbour, or the best if that is dropped."""
    middle = _middle(side, best, log)
    if _rounded(middle, kind) not in (best, side):
        return middle
    return side if side in kept else best


def _rounded(value: float, kind: Range) -> int | float:
    if kind.type is int:
        return round(value)
    return float(np.format_float_positional(value, precision=DIGITS, fractional=False))
