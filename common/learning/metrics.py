"""All metrics of a binary classifier, computed from one table of counts.

The definitions are those of Spark's MulticlassClassificationEvaluator and BinaryClassificationEvaluator
(without the latter's down-sampling to 1000 thresholds), so scores are comparable with CrossValidator's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.learning.curves import Thresholds, precision_recall_area, ratio, roc_area, thresholds_of

# The only list of their names; they are logged with the prefixes val_, train_ and test_. Higher is
# better, except for log_loss. f1, precision and recall refer to the positive label, as in scikit-learn.
# The suffix _label_0 marks those of the other label, and _weighted Spark's, weighted by label frequency.
METRICS = (
    "roc_auc",
    "pr_auc",
    "log_loss",
    "accuracy",
    *(f"{name}{of}" for of in ("", "_label_0", "_weighted") for name in ("f1", "precision", "recall")),
)
# Those of the probabilities, whatever is predicted. A threshold changes all others.
OF_PROBABILITY = ("roc_auc", "pr_auc", "log_loss")
# Those of one of the labels alone.
OF_A_LABEL = tuple(f"{name}{of}" for of in ("", "_label_0") for name in ("f1", "precision", "recall"))
# roc_auc needs no threshold, and unlike accuracy it is not dominated by the more frequent label.
DEFAULT_METRIC = "roc_auc"

# Spark's own lower bound of a probability: the log loss of zero would be infinite.
EPSILON = 1e-15


@dataclass(frozen=True)
class ScoreTable:
    """Number of rows for each (label, prediction, probability), as arrays of equal length.

    Attributes:
        label: Index of the true label, 0 or 1.
        prediction: Index of the predicted label, 0 or 1.
        probability: Predicted probability of index 1.
        count: Number of rows.
        loss: Sum of -ln(probability of the true label) over these rows.
    """

    label: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray
    count: np.ndarray
    loss: np.ndarray


# Of all tasks.
LOWER_IS_BETTER = ("log_loss", "rmse", "mae", "median_absolute_error")
# Those that have the unit of the number that is predicted.
IN_UNITS = ("rmse", "mae", "median_absolute_error")


def sign(metric: str) -> int:
    """Return 1 if higher values of the metric are better, -1 if lower ones are."""
    return -1 if metric in LOWER_IS_BETTER else 1


def scores(table: ScoreTable) -> dict[str, float]:
    """Compute all METRICS.

    A ratio whose denominator is 0 counts as 0, such as the precision of a label that is never predicted.
    The areas under the curves are NaN unless both labels occur.

    Args:
        table: Counts of at least one row.
    """
    total = table.count.sum()
    counts = confusion(table)
    truth, predicted, right = label_counts(table), counts.sum(axis=0), counts.diagonal()
    precision = ratio(right, predicted)
    recall = ratio(right, truth)
    f1 = ratio(2 * precision * recall, precision + recall)
    share = truth / total
    curve = thresholds(table)
    found = {
        "accuracy": right.sum() / total,
        "roc_auc": roc_area(curve),
        "pr_auc": precision_recall_area(curve),
        "log_loss": table.loss.sum() / total,
    }
    for name, values in (("f1", f1), ("precision", precision), ("recall", recall)):
        found |= {f"{name}_label_0": values[0], name: values[1], f"{name}_weighted": values @ share}
    return {name: float(found[name]) for name in METRICS}


def guess_scores(rows: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Compute the METRICS of a baseline that knows only the frequencies of the labels.

    It predicts one label for every row, with the positive label's share as probability: the more frequent
    one; for a label's own F1, precision and recall that label. The more frequent one has an F1 of 0 where
    the positive is rare, which a model that answers `yes` to all would beat without having learnt.

    Args:
        rows: Number of rows with label 0 and with label 1; at least one row in total.
    """
    rows = np.asarray(rows, dtype=float)
    said = [_constant(rows, label) for label in (0, 1)]
    own = {name: said[not name.endswith("_label_0")][name] for name in OF_A_LABEL}
    return {**said[int(rows.argmax())], **own}


def _constant(rows: np.ndarray, predicted: int) -> dict[str, float]:
    """Return the METRICS of one label for every row."""
    share, labels = rows / rows.sum(), np.flatnonzero(rows)
    said, probability = (np.full(len(labels), value) for value in (predicted, share[1]))
    loss = -np.log(share[labels]) * rows[labels]
    return scores(ScoreTable(labels, said, probability, rows[labels], loss))


def told(metric: str, found: Mapping[str, float], guess: Mapping[str, float]) -> str:
    """Format a score together with the baseline's: `roc_auc 0.9254 (guessing 0.5000)`."""
    shown, guessed = (shown_score(metric, scores[metric]) for scores in (found, guess))
    return f"{metric} {shown} (guessing {guessed})"


# What rounding may leave of a score, or of an error of one, that is 0.
ROUNDING = 1e-12


def shown_score(metric: str, value: float, digits: int = 4, signed: bool = False) -> str:
    """Format a score, or a difference of two: `0.9254`, or in the unit of a number `54,322`.

    Args:
        metric: The metric's name.
        value: The score.
        digits: Decimals; of a metric in the unit of the predicted number, significant digits but one.
        signed: Whether a positive value has a plus.
    """
    if metric in IN_UNITS:
        return shown_number(value, digits, signed)
    text = f"{value:{'+' * signed}.{digits}f}"
    if float(text) == 1 and value < 1 and not signed:
        # A score of 1 says that nothing is wrong.
        return f">{1 - 10.0**-digits:.{digits}f}"
    if float(text) == 0 and value > ROUNDING and not signed:
        return f"<{10.0**-digits:.{digits}f}"
    return text.replace("-", "") if float(text) == 0 and not signed else text


def shown_number(value: float, digits: int = 4, signed: bool = False) -> str:
    """Format a number of any scale with `digits` + 1 significant digits; of a long one, all integers."""
    plus = "+" * signed
    if abs(value) >= 10**digits - 0.5:
        return f"{value:{plus},.0f}"
    return f"{value:{plus}#.{digits + 1}g}".rstrip(".")


def label_counts(table: ScoreTable) -> np.ndarray:
    """Return the numbers of rows with label 0 and with label 1."""
    return confusion(table).sum(axis=1)


def thresholds(table: ScoreTable) -> Thresholds:
    """Count true and false positives for every distinct probability as the threshold.

    Args:
        table: Counts of at least one row.
    """
    true, false = (np.where(table.label == label, table.count, 0) for label in (1, 0))
    return thresholds_of(table.probability, true, false)


# Default number of parts of a calibration.
PARTS = 10


@dataclass(frozen=True)
class Calibration:
    """Predicted and observed frequencies in parts of the rows: arrays, lowest probability first.

    Attributes:
        count: Number of rows.
        said: Mean predicted probability of the positive label.
        seen: Observed share of rows with the positive label.
    """

    count: np.ndarray
    said: np.ndarray
    seen: np.ndarray


def calibration(table: ScoreTable, parts: int = PARTS) -> Calibration:
    """Compare predicted with observed frequencies, in parts with about equal numbers of rows.

    Rows with equal probabilities are in the same part.

    Args:
        table: Counts of at least one row.
        parts: Maximum number of parts.
    """
    order = np.argsort(table.probability, kind="stable")
    said, count = table.probability[order], table.count[order].astype(float)
    part = equal_parts(said, count, parts)
    return calibration_of(part, said, count, count * (table.label[order] == 1))


def equal_parts(values: np.ndarray, count: np.ndarray, parts: int) -> np.ndarray:
    """Return the part of each value, from 0: parts have about equal numbers of rows, equal values one.

    Args:
        values: Values in ascending order.
        count: Number of rows with each.
        parts: Maximum number of parts; some may have no rows.
    """
    value = np.concatenate([[0], np.cumsum(values[1:] != values[:-1])])
    of_value = np.bincount(value, count)
    middle = (of_value.cumsum() - of_value / 2)[value]
    return np.minimum((parts * middle / count.sum()).astype(int), parts - 1)


def calibration_of(
    part: np.ndarray, said: np.ndarray, count: np.ndarray, positive: np.ndarray
) -> Calibration:
    """Compare predicted with observed frequencies in given parts; those without rows are left out.

    Args:
        part: Part of each entry, from 0, in ascending order of probability.
        said: Predicted probability.
        count: Number of rows.
        positive: Number of these rows with the label that the probability is of.
    """
    rows, sums, true = (np.bincount(part, weights) for weights in (count, count * said, positive))
    there = rows > 0
    return Calibration(rows[there], sums[there] / rows[there], true[there] / rows[there])


def calibration_error(table: ScoreTable) -> float:
    """Return the expected calibration error, in [0, 1]; 0 is best.

    It is the mean absolute difference of predicted and observed frequency over the parts, weighted by
    rows.

    Source: Naeini, Cooper and Hauskrecht (2015), with parts of equal numbers of rows instead of equal
    width.
    """
    found = calibration(table)
    return float(np.average(np.abs(found.said - found.seen), weights=found.count))


def confusion(table: ScoreTable) -> np.ndarray:
    """Return the confusion matrix (2 x 2): rows are true labels, columns are predicted labels."""
    counts = np.zeros((2, 2))
    np.add.at(counts, (table.label.astype(int), table.prediction.astype(int)), table.count)
    return counts
