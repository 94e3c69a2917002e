"""Every score of a binary classifier, from one table of counts.

Definitions are those of Spark's MulticlassClassificationEvaluator and BinaryClassificationEvaluator
(without its down-sampling to 1000 thresholds), so scores can be compared with CrossValidator's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# The one table of metric names, logged behind val_, train_ and test_; a higher one is better, but for
# log_loss. f1, precision and recall are the positive label's, as scikit-learn's are; those of the other
# label end in _label_0, and those weighted by the labels' shares, which are Spark's, in _weighted.
METRICS = (
    "roc_auc",
    "pr_auc",
    "log_loss",
    "accuracy",
    *(f"{name}{of}" for of in ("", "_label_0", "_weighted") for name in ("f1", "precision", "recall")),
)
# What a search goes by unless told otherwise. It needs no threshold, and a label that is rare cannot
# hide behind the other one.
DEFAULT_METRIC = "roc_auc"

# A probability of zero would cost infinitely much: Spark's own bound.
EPSILON = 1e-15


@dataclass(frozen=True)
class ScoreTable:
    """How often each (label, prediction, probability) occurs: arrays of equal length.

    Attributes:
        label: true index, 0 or 1.
        prediction: predicted index, 0 or 1.
        probability: of index 1.
        count: rows.
        loss: sum over those rows of -ln(probability of the true label).
    """

    label: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray
    count: np.ndarray
    loss: np.ndarray


def sign(metric: str) -> int:
    """1 where a higher value is better, -1 where a lower one is."""
    return -1 if metric == "log_loss" else 1


def scores(table: ScoreTable) -> dict[str, float]:
    """Return all of METRICS.

    Args:
        table: of at least one row. A label that does not occur, or is never predicted, has precision,
            recall and f1 of 0; without both labels the areas are not a number.
    """
    total = table.count.sum()
    counts = confusion(table)
    truth, predicted, right = label_counts(table), counts.sum(axis=0), counts.diagonal()
    precision = _ratio(right, predicted)
    recall = _ratio(right, truth)
    f1 = _ratio(2 * precision * recall, precision + recall)
    share = truth / total
    roc_auc, pr_auc = _areas(table)
    found = {
        "accuracy": right.sum() / total,
        "roc_auc": roc_auc,
        "pr_auc": pr_auc,
        "log_loss": table.loss.sum() / total,
    }
    for name, values in (("f1", f1), ("precision", precision), ("recall", recall)):
        found |= {f"{name}_label_0": values[0], name: values[1], f"{name}_weighted": values @ share}
    return {name: float(found[name]) for name in METRICS}


def guess_scores(rows: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Return METRICS of who knows nothing of a row but how frequent each label is.

    The label that most rows have is predicted of all of them, with the positive label's share for its
    probability.

    Args:
        rows: of label 0 and of label 1, at least one of them.
    """
    rows = np.asarray(rows, dtype=float)
    share = rows / rows.sum()
    labels = np.flatnonzero(rows)
    guess = ScoreTable(
        labels,
        np.full(len(labels), share.argmax()),
        np.full(len(labels), share[1]),
        rows[labels],
        -np.log(share[labels]) * rows[labels],
    )
    return scores(guess)


def told(metric: str, found: Mapping[str, float], guess: Mapping[str, float]) -> str:
    """Return a score on a line, beside what guessing would score."""
    return f"{metric} {found[metric]:.4f} (guessing {guess[metric]:.4f})"


def label_counts(table: ScoreTable) -> np.ndarray:
    """Return how many rows have label 0, and how many label 1."""
    return confusion(table).sum(axis=1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


@dataclass(frozen=True)
class Thresholds:
    """What predicting the positive label from a probability on would give: arrays, highest first.

    Attributes:
        probability: each that occurs.
        true: rows of the positive label with it or a higher one.
        false: rows of the other label with it or a higher one.
    """

    probability: np.ndarray
    true: np.ndarray
    false: np.ndarray

    @property
    def base_rate(self) -> float:
        """Share of the rows that are of the positive label."""
        return float(self.true[-1] / (self.true[-1] + self.false[-1]))

    @property
    def recall(self) -> np.ndarray:
        """Share of the positive rows that are found."""
        return _ratio(self.true, np.full_like(self.true, self.true[-1]))

    @property
    def fallout(self) -> np.ndarray:
        """Share of the other rows that are taken for positive."""
        return _ratio(self.false, np.full_like(self.false, self.false[-1]))

    @property
    def precision(self) -> np.ndarray:
        """Share of what is predicted positive that is."""
        return self.true / (self.true + self.false)

    @property
    def f1(self) -> tuple[np.ndarray, np.ndarray]:
        """The metrics f1_weighted and f1: weighted by the labels' shares, and of the positive label."""
        positive, negative = self.true[-1], self.false[-1]
        of_one = 2 * self.true / (positive + self.true + self.false)
        right = negative - self.false
        of_zero = _ratio(2 * right, negative + right + positive - self.true)
        return self.base_rate * of_one + (1 - self.base_rate) * of_zero, of_one


def thresholds(table: ScoreTable) -> Thresholds:
    """Return what each probability would do as a threshold.

    Args:
        table: of at least one row.
    """
    order = np.argsort(-table.probability, kind="stable")
    probability, count = table.probability[order], table.count[order]
    positive = np.where(table.label[order] == 1, count, 0).cumsum().astype(float)
    negative = np.where(table.label[order] == 0, count, 0).cumsum().astype(float)
    last = np.append(probability[1:] != probability[:-1], True)
    return Thresholds(probability[last], positive[last], negative[last])


# Of about equally many rows, in which what was said is compared with what was seen.
PARTS = 10


@dataclass(frozen=True)
class Calibration:
    """Rows in parts, by the probability that was said of them: arrays, lowest first.

    Attributes:
        count: rows.
        said: mean probability of the positive label.
        seen: share of the rows that are of it.
    """

    count: np.ndarray
    said: np.ndarray
    seen: np.ndarray


def calibration(table: ScoreTable, parts: int = PARTS) -> Calibration:
    """Compare said and seen in parts of about equally many rows; equal probabilities stay together.

    Args:
        table: of at least one row.
        parts: at the most.
    """
    order = np.argsort(table.probability, kind="stable")
    said, count = table.probability[order], table.count[order].astype(float)
    value = np.concatenate([[0], np.cumsum(said[1:] != said[:-1])])
    of_value = np.bincount(value, count)
    middle = (of_value.cumsum() - of_value / 2)[value]
    part = np.minimum((parts * middle / count.sum()).astype(int), parts - 1)
    rows = np.bincount(part, count)
    positive = np.bincount(part, count * (table.label[order] == 1))
    sums = np.bincount(part, count * said)
    there = rows > 0
    return Calibration(rows[there], sums[there] / rows[there], positive[there] / rows[there])


def calibration_error(table: ScoreTable) -> float:
    """Return how far said and seen differ on the average over the rows, in parts (0 is best).

    Source: the expected calibration error of Naeini, Cooper and Hauskrecht (2015), in parts of equally
    many rows in place of equally long ones.
    """
    found = calibration(table)
    return float(np.average(np.abs(found.said - found.seen), weights=found.count))


def confusion(table: ScoreTable) -> np.ndarray:
    """Return how many rows of each label (down) are predicted as each (along)."""
    counts = np.zeros((2, 2))
    np.add.at(counts, (table.label.astype(int), table.prediction.astype(int)), table.count)
    return counts


def _areas(table: ScoreTable) -> tuple[float, float]:
    """Areas under the ROC and the precision-recall curve, by trapezoids over distinct scores."""
    found = thresholds(table)
    if found.true[-1] == 0 or found.false[-1] == 0:
        return float("nan"), float("nan")
    recall, precision = found.recall, found.precision
    roc = np.trapezoid(np.append(0, recall), np.append(0, found.fallout))
    # Spark's curve starts at recall 0 with the precision of its first point.
    curve = np.trapezoid(np.append(precision[0], precision), np.append(0, recall))
    return float(roc), float(curve)
