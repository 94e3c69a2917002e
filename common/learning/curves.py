"""Counts of rows by the threshold of a label's probability, and the areas under the curves."""

from dataclasses import dataclass

import numpy as np


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide elementwise; a ratio whose denominator is 0 counts as 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


@dataclass(frozen=True)
class Thresholds:
    """Counts for every probability as the threshold of the positive label: arrays, highest first.

    Attributes:
        probability: Each distinct probability.
        true: Number of rows with the positive label at or above it.
        false: Number of rows with the other label at or above it.
    """

    probability: np.ndarray
    true: np.ndarray
    false: np.ndarray

    @property
    def has_both(self) -> bool:
        """Whether some rows have the positive label and some another."""
        return len(self.true) > 0 and self.true[-1] > 0 and self.false[-1] > 0

    @property
    def base_rate(self) -> float:
        """Share of rows with the positive label."""
        return float(self.true[-1] / (self.true[-1] + self.false[-1]))

    @property
    def recall(self) -> np.ndarray:
        """True positive rate: share of the positive rows that are predicted positive."""
        return ratio(self.true, np.full_like(self.true, self.true[-1]))

    @property
    def fallout(self) -> np.ndarray:
        """False positive rate: share of the negative rows that are predicted positive."""
        return ratio(self.false, np.full_like(self.false, self.false[-1]))

    @property
    def precision(self) -> np.ndarray:
        """Share of the rows predicted positive that are positive."""
        return ratio(self.true, self.true + self.false)

    @property
    def f1(self) -> tuple[np.ndarray, np.ndarray]:
        """The metrics f1_weighted (weighted by label frequency) and f1 (of the positive label)."""
        positive, negative = self.true[-1], self.false[-1]
        of_one = 2 * self.true / (positive + self.true + self.false)
        right = negative - self.false
        of_zero = ratio(2 * right, negative + right + positive - self.true)
        return self.base_rate * of_one + (1 - self.base_rate) * of_zero, of_one

    @property
    def f1_of_none(self) -> tuple[float, float]:
        """What `f1` is where no row is predicted positive, at a threshold above all probabilities."""
        negative = 1 - self.base_rate
        return negative * 2 * negative / (1 + negative), 0.0


def thresholds_of(probability: np.ndarray, true: np.ndarray, false: np.ndarray) -> Thresholds:
    """Count true and false positives for every distinct probability as the threshold.

    Args:
        probability: Probabilities in any order; equal ones count as one.
        true: Number of rows with each that have the label that it is of.
        false: Number of rows with each that have another.
    """
    order = np.argsort(-probability, kind="stable")
    ordered, reached, wrong = probability[order], true[order].cumsum(), false[order].cumsum()
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    return Thresholds(ordered[last], reached[last].astype(float), wrong[last].astype(float))


def roc_area(found: Thresholds) -> float:
    """Return the area under the ROC curve by trapezoids; NaN unless both kinds of rows occur."""
    if not found.has_both:
        return float("nan")
    return float(np.trapezoid(np.append(0, found.recall), np.append(0, found.fallout)))


def precision_recall_area(found: Thresholds) -> float:
    """Return the area under precision by recall, like `roc_area`.

    As in Spark, the curve starts at recall 0 with the precision of its first point.
    """
    if not found.has_both:
        return float("nan")
    precision = np.append(found.precision[0], found.precision)
    return float(np.trapezoid(precision, np.append(0, found.recall)))
