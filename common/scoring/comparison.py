"""The workers' part of the check of an export: score rows with the portable model, and compare.

Nothing here imports Spark's machine learning, so workers load only what they need.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from common.data.reading import Form, own_named, read_rows
from common.machine.arrow_batches import table_of
from common.scoring.serving.scorer import Scorer

# A larger difference between two probabilities, or between two numbers as a part of the number or, if
# that is larger, of the numbers' standard deviation, is not a rounding error.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Agreement:
    """How well two models agree.

    Attributes:
        rows: Number of rows compared.
        labels: Number of rows with different labels; 0 if a number is predicted.
        numbers: Number of rows with a probability or a predicted number that differs by more than
            TOLERANCE.
        largest: The largest difference between two probabilities; of predicted numbers, relative to the
            number or, if that is larger, to the standard deviation of a batch's.
        refused: Number of rows that the portable model refuses, such as rows with a null for a number.
    """

    rows: int = 0
    labels: int = 0
    numbers: int = 0
    largest: float = 0.0
    refused: int = 0

    def __add__(self, other: "Agreement") -> "Agreement":
        """Return the agreement on the rows of both."""
        return Agreement(
            self.rows + other.rows,
            self.labels + other.labels,
            self.numbers + other.numbers,
            # Of two, NumPy's takes the one that is not a number.
            float(np.maximum(self.largest, other.largest)),
            self.refused + other.refused,
        )


def compare(batches: Iterable[bytes], schema: pa.Schema, model: bytes, form: Form) -> Iterator[Agreement]:
    """Score records with a portable model, and compare its answers with those beside the records.

    Args:
        batches: Arrow's record batches: the columns of a record, then those of the answer.
        schema: The batches' schema; the names in it are not used.
        model: The serialized ONNX model.
        form: The form of a record.
    """
    scorer, inputs = Scorer(model), len(form.columns)
    for batch in batches:
        frame = table_of(batch, schema).to_pandas()
        records = frame.iloc[:, :inputs].set_axis(list(form.columns), axis=1)
        read = read_rows(own_named(records), form)
        good = {name: values[read.good] for name, values in read.values.items()}
        ours = pd.DataFrame(scorer.score(good))
        yield _compared(ours, frame.iloc[:, inputs:][read.good], len(frame))


def _compared(ours: pd.DataFrame, theirs: pd.DataFrame, given: int) -> Agreement:
    """Count the rows on which two answers differ.

    Args:
        ours: The portable model's answer.
        theirs: The Spark pipeline's answer to the same rows; the columns are in the same order.
        given: Number of rows that the portable model was given.
    """
    labels: np.ndarray = np.zeros(len(ours), bool)
    apart: np.ndarray = np.zeros(len(ours))
    for place, (_, values) in enumerate(ours.items()):
        expected = theirs.iloc[:, place].to_numpy()
        if values.dtype == object:
            labels |= values.to_numpy() != expected
        else:
            # A probability is at most 1; the only number of an answer is its first column.
            of = np.maximum(expected.std(), np.abs(expected)) if place == 0 else np.ones(len(expected))
            far = np.abs(values.to_numpy() - expected)
            apart = np.maximum(apart, far / np.where(of > 0, of, 1))
    return Agreement(
        rows=len(ours),
        labels=int(labels.sum()),
        # Negated, so that NaN counts as a difference.
        numbers=int((~(apart <= TOLERANCE)).sum()),
        largest=float(apart.max()) if len(apart) else 0.0,
        refused=given - len(ours),
    )
