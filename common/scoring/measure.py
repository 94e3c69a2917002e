"""How well a scored file does on its true labels, where it has them."""

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
    """What the true labels say.

    Attributes:
        labelled: scored records whose true label is one of the model's.
        unknown: labels that are there and are none of these.
        scores: METRICS on the labelled; none where there are none.
        guess: what guessing would score on them.
    """

    labelled: int = 0
    unknown: Strange = NO_LABELS
    scores: dict[str, float] = field(default_factory=dict)
    guess: dict[str, float] = field(default_factory=dict)


def measure(frame: DataFrame, model: KeptModel, rows: int) -> Measured:
    """Measure scored records on their true labels, read by the rules of `common/data/reading`.

    Args:
        frame: of scored records.
        model: that scored them.
        rows: how many they are.
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
    # Of one label alone there is no curve.
    found, guess = (
        {name: value for name, value in of_all.items() if not math.isnan(value)}
        for of_all in (scores(table), guess_scores(label_counts(table)))
    )
    return Measured(labelled, others, found, guess)


def true_label(frame: DataFrame, label: str) -> Column | None:
    """Return the text of the label's column, null where it is empty; None if it is not there."""
    for name, found in ((one.name, one.dataType) for one in frame.schema):
        if name.lower() == label.lower():
            try:
                return typed_cell(quoted(name), found, TEXT, True).value
            except Unreadable:
                return quoted(name).cast("string")
    return None
