"""Metrics of a scored file against its true labels, if it has them."""

import math
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.reading import TEXT, Unreadable
from common.data.records.cells import typed_cell
from common.data.row_hash import quoted
from common.learning.metrics import guess_scores, label_counts, scores
from common.learning.score_table import probability_vector, score_table
from common.learning.vectorizer import LABEL
from common.scoring.alarms import Strange
from common.scoring.kept_model import KeptModel
from common.scoring.portable_model import PREDICTION, PROBABILITY

NO_LABELS = Strange(0, 0, None)


@dataclass(frozen=True)
class Measured:
    """The comparison with the true labels.

    Attributes:
        labelled: Number of scored records whose true label is one of the model's.
        unknown: Labels that are present but not among the model's.
        scores: METRICS on the labelled records; empty if there are none.
        guess: Scores of a guess on the labelled records.
    """

    labelled: int = 0
    unknown: Strange = NO_LABELS
    scores: dict[str, float] = field(default_factory=dict)
    guess: dict[str, float] = field(default_factory=dict)


def measure(frame: DataFrame, model: KeptModel, rows: int) -> Measured:
    """Compare scored records with their true labels, read by the rules of `common/data/reading`.

    Args:
        frame: The scored records.
        model: The model that scored them.
        rows: Number of records.
    """
    label, positive = true_label(frame, model.form.label), F.col(PROBABILITY).cast("double")
    if label is None:
        return Measured()
    known = label.isin(*model.labels)
    strange = F.when(~known, label)
    counted = frame.agg(F.count(label), F.count(strange), F.min(strange)).first()
    assert counted is not None, "a count of all rows is one row"
    given, unknown, example = counted
    table = score_table(
        frame.where(known).select(
            (label == model.labels[1]).cast("double").alias(LABEL),
            (F.col(PREDICTION) == model.labels[1]).cast("double").alias("prediction"),
            probability_vector(positive),
        ),
        rows,
    )
    labelled, others = int(table.count.sum()), Strange(unknown, given, example)
    if not labelled:
        return Measured(0, others)
    # With only one label there are no curves, so their areas are NaN.
    found, guess = (
        {name: value for name, value in of_all.items() if not math.isnan(value)}
        for of_all in (scores(table), guess_scores(label_counts(table)))
    )
    return Measured(labelled, others, found, guess)


def true_label(frame: DataFrame, label: str) -> Column | None:
    """Return the label's column as text, null where it is empty; None if the frame has no such column."""
    for name, found in ((one.name, one.dataType) for one in frame.schema):
        if name.lower() == label.lower():
            try:
                return typed_cell(quoted(name), found, TEXT, True).value
            except Unreadable:
                return quoted(name).cast("string")
    return None
