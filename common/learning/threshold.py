"""The decision threshold of two labels, chosen from predictions for rows that were not fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from common.errors import UserError
from common.learning.curves import ratio
from common.learning.metrics import METRICS, OF_PROBABILITY, ScoreTable, scores

HALF = 0.5
# The thresholds between which probabilities are counted: of three digits, or five near the ends, where
# those of rare labels are.
_FINE = np.arange(1, 100)
VALUES = np.concatenate([_FINE / 1e5, np.arange(1, 1000) / 1e3, (100_000 - _FINE[::-1]) / 1e5])
PARTS = len(VALUES) + 1
# Metrics that a threshold can be chosen by: of the others, those of curves need none, and the best
# precision or recall alone is that of a threshold near 1 or 0.
CHOOSES = ("f1", "f1_weighted", "f1_label_0", "accuracy")
OTHERWISE = "f1"
# Those that a threshold changes.
OF_THRESHOLD = tuple(name for name in METRICS if name not in OF_PROBABILITY)


@dataclass(frozen=True)
class Curve:
    """Counts of rows by probability, in the PARTS parts between 0, VALUES and 1.

    Attributes:
        positive: Number of rows with the positive label (PARTS).
        negative: Number of rows with the other label (PARTS).
    """

    positive: np.ndarray
    negative: np.ndarray

    def __add__(self, other: "Curve") -> "Curve":
        return Curve(self.positive + other.positive, self.negative + other.negative)


@dataclass(frozen=True)
class Threshold:
    """A threshold, and what to choose one gains on rows that had no part in the choice.

    Attributes:
        value: The probability above which the positive label is predicted.
        metric: The metric that it was chosen by; empty if it was given.
        score: The metric, a mean over folds, each at the threshold that the others choose.
        at_half: The metric at 0.5, a mean over folds.
    """

    value: float
    metric: str = ""
    score: float = float("nan")
    at_half: float = float("nan")


def parse_threshold(threshold: str) -> float | None:
    """Parse a threshold: `auto` (None) or a number between 0 and 1.

    Raises:
        UserError: It is neither, or not one of VALUES, so that the folds' scores there are not known.
    """
    if threshold == "auto":
        return None
    try:
        value = float(threshold)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise UserError(
            f"threshold must be auto or a number between 0 and 1 (neither of them), got {threshold!r}"
        )
    if value not in VALUES:
        raise UserError(
            "threshold must have at most three digits after the point, or five below 0.001 and above "
            f"0.999, got {threshold!r}"
        )
    return value


def curve(table: ScoreTable) -> Curve:
    """Count the rows of a table by their probability."""
    # The number of thresholds that a probability is above.
    part = np.searchsorted(VALUES, table.probability, side="left")
    positive = np.bincount(part, np.where(table.label == 1, table.count, 0), PARTS)
    return Curve(positive, np.bincount(part, np.where(table.label == 0, table.count, 0), PARTS))


def best_threshold(folds: Sequence[Curve], metric: str) -> Threshold:
    """Return the threshold that is best for a metric, or for OTHERWISE if the metric needs none.

    Of equally good thresholds, the nearest to 0.5 is taken.

    Args:
        folds: Counts of each fold's rows, which the model was not fitted on; at least two folds.
        metric: The metric of the search.
    """
    chooses = chosen_by(metric)
    elsewhere, half = (fold_scores_at(folds, chooses, value) for value in (None, HALF))
    score, at_half = (float(np.mean([one[chooses] for one in each])) for each in (elsewhere, half))
    return Threshold(_best(reduce(Curve.__add__, folds), chooses), chooses, score, at_half)


def chosen_by(metric: str) -> str:
    """Return the metric that chooses the threshold of a search by a metric."""
    return metric if metric in CHOOSES else OTHERWISE


def fold_scores_at(
    folds: Sequence[Curve], metric: str, threshold: float | None = None
) -> list[dict[str, float]]:
    """Return the metrics of each fold that depend on a threshold.

    At the threshold that is best for all folds together, each would be scored by a choice that its own
    rows took part in: with 55 rows of a label, f1 was 0.31 so, and 0.22 where the other folds choose.

    Args:
        folds: Counts of each fold's rows; at least two folds if the threshold is to be chosen.
        metric: The metric of the search.
        threshold: One of VALUES; None for that which the other folds choose.
    """
    if threshold is not None:
        return [scores_at(one, threshold) for one in folds]
    others = [[*folds[:place], *folds[place + 1 :]] for place in range(len(folds))]
    values = [_best(reduce(Curve.__add__, each), chosen_by(metric)) for each in others]
    return [scores_at(one, value) for one, value in zip(folds, values, strict=True)]


def _best(found: Curve, metric: str) -> float:
    scores = _scores(found, metric)
    equal = np.flatnonzero(scores >= scores.max() - 1e-12)
    return float(VALUES[equal[np.argmin(np.abs(VALUES[equal] - HALF))]])


def at_half(metric: str, threshold: float) -> str:
    """Return what to say of a score over the folds, which is at one half: nothing if the model is too."""
    return f" at {HALF}" if metric in OF_THRESHOLD and threshold != HALF else ""


def at_own(metric: str, threshold: float) -> str:
    """Return what to say of a score of a model as it predicts: nothing if that is at one half."""
    return f" at {threshold:g}" if metric in OF_THRESHOLD and threshold != HALF else ""


def scores_at(found: Curve, threshold: float) -> dict[str, float]:
    """Return the metrics that depend on a threshold.

    Args:
        found: Counts of rows that the model was not fitted on.
        threshold: The threshold, one of VALUES.
    """
    place = _place(threshold) + 1
    above, below = slice(place, None), slice(None, place)
    counts = [side[part].sum() for side in (found.positive, found.negative) for part in (above, below)]
    label, predicted = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
    all_scores = scores(ScoreTable(label, predicted, predicted, np.array(counts), np.zeros(4)))
    return {name: all_scores[name] for name in OF_THRESHOLD}


def _place(threshold: float) -> int:
    return int(np.flatnonzero(threshold == VALUES)[0])


def _scores(found: Curve, metric: str) -> np.ndarray:
    """Return a metric at each threshold of VALUES."""
    all_positive, all_negative = found.positive.sum(), found.negative.sum()
    # Rows in the parts after a threshold's are above it.
    true = all_positive - found.positive.cumsum()[:-1]
    false = all_negative - found.negative.cumsum()[:-1]
    missed, right = all_positive - true, all_negative - false
    of_positive = ratio(2 * true, 2 * true + false + missed)
    of_negative = ratio(2 * right, 2 * right + false + missed)
    total = all_positive + all_negative
    weighted = (all_positive * of_positive + all_negative * of_negative) / total
    by_name = {
        "f1": of_positive,
        "f1_label_0": of_negative,
        "f1_weighted": weighted,
        "accuracy": (true + right) / total,
    }
    found_scores: np.ndarray = by_name[metric]
    return found_scores
