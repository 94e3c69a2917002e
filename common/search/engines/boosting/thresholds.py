"""Where a number may be split: thresholds as Spark's tree learners choose them."""

import numpy as np

# Spark looks at this many rows, or at the square of maxBins, whichever is more.
SAMPLED_ROWS = 10_000


def sampled_rows(max_bins: int) -> int:
    """Return how many rows Spark draws, at the most, to choose thresholds from."""
    return max(max_bins * max_bins, SAMPLED_ROWS)


def split_thresholds(values: np.ndarray, rows: float, max_bins: int) -> np.ndarray:
    """Return the thresholds of one feature; x <= threshold goes left.

    Midpoints of neighbouring values where there are few enough, otherwise of those neighbours whose
    cumulative counts lie nearest to a multiple of rows / max_bins. Spark counts only the values that
    are not zero and takes the rest of the expected rows for zeros; so does this.

    Source: Spark's `RandomForest.findSplitsForContinuousFeature`.

    Args:
        values: of the sampled rows (1-d).
        rows: how many sampled rows were to be expected, the fraction drawn times all rows.
        max_bins: at most this many intervals.

    Returns:
        Ascending thresholds, fewer than max_bins; none for a feature that is constant.
    """
    distinct, counts = np.unique(values[values != 0], return_counts=True)
    weights = counts.astype(float)
    zeros = rows - weights.sum()
    if zeros > np.finfo(float).eps * len(values) * 100:
        place = int(np.searchsorted(distinct, 0.0))
        distinct = np.insert(distinct, place, 0.0)
        weights = np.insert(weights, place, zeros)
    between = (distinct[:-1] + distinct[1:]) / 2
    if len(between) < max_bins:
        return between
    return between[_places(weights.cumsum(), rows / max_bins)]


def _places(cumulative: np.ndarray, stride: float) -> list[int]:
    """Return between which values to cut: where going on would leave the target further behind."""
    middles = (cumulative[:-1] + cumulative[1:]) / 2
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
