"""All metrics of a predicted number, computed from one table of counts.

The definitions are those of Spark's RegressionEvaluator, and of scikit-learn's median_absolute_error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Lower is better, except for r2.
NUMBER_METRICS = ("rmse", "mae", "r2", "median_absolute_error")


@dataclass(frozen=True)
class NumberTable:
    """Counts of predicted numbers, as arrays of equal length.

    Each entry stands for rows with (almost) the same number and prediction. Sums are exact; the two
    numbers of an entry are the means of its rows.

    Attributes:
        label: The true number.
        prediction: The predicted number.
        count: Number of rows.
        absolute: Sum of |label - prediction| over these rows.
        squared: Sum of (label - prediction)^2.
        label_squared: Sum of (label - mean label of all rows)^2.
    """

    label: np.ndarray
    prediction: np.ndarray
    count: np.ndarray
    absolute: np.ndarray
    squared: np.ndarray
    label_squared: np.ndarray


def number_scores(table: NumberTable) -> dict[str, float]:
    """Compute all NUMBER_METRICS.

    r2 is 0 for predictions of the mean, and NaN if all numbers are equal. The median error is exact if
    each entry stands for rows with the same error.

    Args:
        table: Counts of at least one row.
    """
    rows, spread = table.count.sum(), table.label_squared.sum()
    # Rounding may leave a trace of a spread where there is none.
    varies = spread > 0 and np.ptp(table.label) > 0
    found = {
        "rmse": np.sqrt(table.squared.sum() / rows),
        "mae": table.absolute.sum() / rows,
        "r2": 1 - table.squared.sum() / spread if varies else float("nan"),
        "median_absolute_error": weighted_median(table.absolute / table.count, table.count),
    }
    return {name: float(found[name]) for name in NUMBER_METRICS}


def number_guess(values: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Compute the NUMBER_METRICS of a baseline that predicts the mean for every row.

    Args:
        values: The distinct numbers.
        rows: Number of rows with each; at least one row in total.
    """
    mean = np.average(values, weights=rows)
    return number_scores(number_table(values, np.full(len(values), mean), rows))


def number_table(
    label: np.ndarray, prediction: np.ndarray, count: np.ndarray | None = None
) -> NumberTable:
    """Return the table of predictions that are at hand as arrays.

    Args:
        label: The true numbers (rows).
        prediction: The predicted numbers (rows).
        count: Number of rows that each entry stands for; 1 if None.
    """
    label, prediction = label.astype(float), prediction.astype(float)
    count = np.ones(len(label)) if count is None else count.astype(float)
    apart = label - prediction
    from_mean = label - np.average(label, weights=count)
    return NumberTable(
        label, prediction, count, np.abs(apart) * count, apart**2 * count, from_mean**2 * count
    )


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the median of values that occur several times.

    Args:
        values: The values.
        weights: How often each occurs; positive in total.
    """
    order = np.argsort(values, kind="stable")
    ordered, reached = values[order], weights[order].cumsum()
    half = reached[-1] / 2
    low = int(np.searchsorted(reached, half, side="left"))
    # An even number of rows has two in the middle: their mean is the median.
    high = int(np.searchsorted(reached, half, side="right"))
    return float((ordered[low] + ordered[min(high, len(ordered) - 1)]) / 2)


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, shares: Sequence[float]
) -> tuple[float, ...]:
    """Return the least values with at least these shares of the weight at or below them.

    Args:
        values: The values.
        weights: How often each occurs; positive in total.
        shares: Shares in [0, 1].
    """
    order = np.argsort(values, kind="stable")
    reached = weights[order].cumsum()
    places = np.searchsorted(reached, np.asarray(shares) * reached[-1], side="left")
    return tuple(float(value) for value in values[order][np.minimum(places, len(values) - 1)])
