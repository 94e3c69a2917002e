"""The engine's own margins beside those of Spark's model of a refit.

Workers import it, so it imports little.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from common.data.target import REGRESSION

# Largest difference of two margins that agree; of numbers, in units of their spread.
TOLERANCE = 1e-6
# A margin this near to zero is a tie, of which the order of summation chooses the label.
TIE = 1e-12


@dataclass(frozen=True)
class Agreement:
    """How well Spark's model and the engine's agree.

    Attributes:
        rows: Number of rows compared.
        beyond: Number of rows whose margins differ by more than TOLERANCE.
        labels: Number of rows with different labels; 0 if a number is predicted.
        largest: The largest difference of two margins, of numbers in units of their spread.
    """

    rows: int
    beyond: int
    labels: int
    largest: float

    def __add__(self, other: "Agreement") -> "Agreement":
        """Return the agreement on the rows of both."""
        largest = max(self.largest, other.largest)
        counts = (self.rows + other.rows, self.beyond + other.beyond, self.labels + other.labels)
        return Agreement(*counts, largest)


def compared(table: pa.Table, own: np.ndarray, unit: float, task: str, trees: int) -> Agreement:
    """Count the rows that do not agree.

    Args:
        table: Spark's `margin` and `prediction` of each row.
        own: The engine's margin of each row.
        unit: The spread of predicted numbers; 1 for labels.
        task: What is predicted.
        trees: Number of trees.
    """
    margin, prediction = table["margin"].to_numpy(), table["prediction"].to_numpy()
    apart = np.abs(margin - own)
    # Large numbers of a small spread are rounded by more than a millionth of it.
    rounding = trees * np.finfo(float).eps * np.abs(own)
    beyond = ~(apart <= TOLERANCE * unit + rounding)
    labels = np.zeros(len(own), bool)
    if task != REGRESSION:
        labels = (prediction != (own > 0)) & (np.abs(own) > TIE)
    return Agreement(len(own), int(beyond.sum()), int(labels.sum()), float(apart.max() / unit))
