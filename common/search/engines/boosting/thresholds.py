"""Candidate thresholds of numeric features, chosen like Spark's tree learners do."""

import numpy as np

# Spark samples this many rows, or the square of maxBins, whichever is more.
SAMPLED_ROWS = 10_000


def sampled_rows(max_bins: int) -> int:
    """Return how many rows Spark samples for thresholds, in expectation; all rows if there are fewer."""
    return max(max_bins * max_bins, SAMPLED_ROWS)


def split_thresholds(
    values: np.ndarray, rows: float, max_bins: int, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the thresholds of one feature; x <= threshold goes left.

    Thresholds are midpoints of neighbouring values. If there are too many of them, those are taken whose
    cumulative counts are nearest to multiples of rows / max_bins. Like Spark, the function counts only
    non-zero values, and treats the rest of the expected rows as zeros.

    Source: Spark's `RandomForest.findSplitsForContinuousFeature`.

    Args:
        values: Values of the feature in the sampled rows (1-d).
        rows: Expected number of sampled rows: the sampling fraction times the number of all rows, or
            times their total weight.
        max_bins: Maximum number of intervals.
        weight: Weight of each sampled row; 1 if None.

    Returns:
        Ascending thresholds, fewer than max_bins; empty for a constant feature.
    """
    there = values != 0
    distinct, places = np.unique(values[there], return_inverse=True)
    weights = np.bincount(places, None if weight is None else weight[there]).astype(float)
    zeros = rows - weights.sum()
    if zeros > np.finfo(float).eps * len(values) * 100:
        place = int(np.searchsorted(distinct, 0.0))
        distinct = np.insert(distinct, place, 0.0)
        weights = np.insert(weights, place, zeros)
    between = (distinct[:-1] + distinct[1:]) / 2
    if len(between) < max_bins:
        return between
    cumulative = weights.cumsum()
    middles = (cumulative[:-1] + cumulative[1:]) / 2
    # Before a value that weighs nothing Spark never cuts: both its counts are equally near.
    weighs = weights[1:] > 0
    return between[weighs][_places(middles[weighs], rows / max_bins)]


def _places(middles: np.ndarray, stride: float) -> list[int]:
    """Return the midpoints to cut at: for each multiple of the stride, the one with nearest count.

    Args:
        middles: For each midpoint, the mean of the counts up to the values around it, ascending.
        stride: The count between two cuts.
    """
    found: list[int] = []
    target = stride
    place = 0
    while True:
        place = max(place, int(np.searchsorted(middles, target, side="right")))
        if place >= len(middles):
            return found
        found.append(place)
        target += stride
        place += 1
