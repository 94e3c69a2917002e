"""Metrics of a scored file against its true labels, if it has them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd
from pyspark.ml.functions import array_to_vector
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.reading import DOUBLE, INTEGER, Unreadable, column_of_texts, read_rows
from common.data.records import values_read, why_bad, with_column_read
from common.data.row_hash import quoted
from common.data.target import BINARY, REGRESSION, Target
from common.learning.score_table import probability_vector, score_table
from common.learning.tasks import guess_scores, labels_of, scores
from common.learning.vectorizer import LABEL, label_index
from common.scoring.alarms import Strange
from common.scoring.kept_model import KeptModel
from common.scoring.outputs import outputs_of

NO_LABELS = Strange(0, 0, None)


@dataclass(frozen=True)
class Measured:
    """The comparison with the true labels.

    Attributes:
        labelled: Number of scored records whose true label is one of the model's, or a number.
        unknown: Labels that are present but not among the model's, or no numbers.
        scores: The task's metrics on the labelled records; empty if there are none.
        guess: Scores of a guess on the labelled records.
    """

    labelled: int = 0
    unknown: Strange = NO_LABELS
    scores: dict[str, float] = field(default_factory=dict)
    guess: dict[str, float] = field(default_factory=dict)


def measure(
    frame: DataFrame,
    model: KeptModel,
    rows: int,
    names: Mapping[str, str],
    label: str | None,
    decimal: str = ".",
) -> Measured:
    """Compare scored records with their true labels, read by the rules of `common/data/reading`.

    Records without a label are left out.

    Args:
        frame: The scored records.
        model: The model that scored them.
        rows: Number of records.
        names: Name of the column of the frame with each of the model's outputs.
        label: Name of the column of the frame with the true labels; None if there is none.
        decimal: The decimal mark of labels that are texts.
    """
    if label is None:
        return Measured()
    true = true_label(frame, model, label, decimal)
    truth = _index_or_number(true, model)
    told = true.frame.select(
        true.text.alias("text"),
        F.when(truth.isNull(), true.text).alias("strange"),
        truth.alias(LABEL),
        *_answer(model.target, [quoted(names[output]) for output in outputs_of(model.target)]),
    )
    counted = told.agg(F.count("text"), F.count("strange"), F.min("strange")).first()
    assert counted is not None, "a count of all rows is one row"
    present, unknown, example = counted
    others = Strange(unknown, present, example)
    if present == unknown:
        return Measured(0, others)
    table = score_table(told.where(F.col(LABEL).isNotNull()), model.target, rows)
    # With only one label there are no curves, so their areas are NaN.
    found, guess = (
        {name: value for name, value in of_all.items() if not math.isnan(value)}
        for of_all in (scores(table), guess_scores(labels_of(table)))
    )
    return Measured(present - unknown, others, found, guess)


@dataclass(frozen=True)
class TrueLabel:
    """The true labels of a file.

    Attributes:
        frame: The records, with what the columns refer to.
        value: The labels in their type; null if one is missing, or of another type.
        text: Their texts; null if one is missing.
    """

    frame: DataFrame
    value: Column
    text: Column


def true_label(frame: DataFrame, model: KeptModel, name: str, decimal: str) -> TrueLabel:
    """Return the true labels of a file of scored records.

    A number to predict may have a fraction, even if none did in training. Labels that are all numbers are
    read as such: one writer's 1 is another's 1.0.
    """
    form, kind = model.form, model.label_type
    if kind == INTEGER or numbers_of(model):
        kind = DOUBLE
    text = F.trim(quoted(name).cast("string"))
    asked = replace(
        form, columns={form.label: kind}, optional=frozenset([form.label]), renamed={}, decimal=decimal
    )
    try:
        read = with_column_read(frame, name, asked)
    except Unreadable:
        return TrueLabel(frame, F.lit(None).cast("string"), text)
    value = values_read(asked)[form.label]
    return TrueLabel(read, value, F.when(value.isNotNull() | why_bad().isNotNull(), text))


def numbers_of(model: KeptModel) -> list[float]:
    """Return the labels of classes as numbers; empty unless all are, each another one."""
    name, labels = model.form.label, list(model.target.labels)
    form = replace(model.form, columns={name: DOUBLE}, optional=frozenset(), renamed={})
    read = read_rows(pd.DataFrame({name: column_of_texts(labels, DOUBLE, form)}), form)
    found: list[float] = read.values[name].tolist()
    return found if read.good.all() and len({*found}) == len(labels) else []


def _index_or_number(label: TrueLabel, model: KeptModel) -> Column:
    """Return a label as scores take it, a double; null if it is missing or unknown."""
    if model.target.task == REGRESSION:
        return label.value.cast("double")
    if numbers := numbers_of(model):
        place = F.array_position(F.array(*map(F.lit, numbers)), label.value.cast("double")) - 1
    else:
        place = label_index(label.value, model.target.labels)
    return F.nullif(place.cast("double"), F.lit(-1.0))


def _answer(target: Target, said: list[Column]) -> list[Column]:
    """Return a model's answer as scores take it: the prediction, and the vector of probabilities."""
    prediction, *each = said
    if target.task == REGRESSION:
        return [prediction.cast("double").alias("prediction")]
    probabilities = [column.cast("double") for column in each]
    if target.task == BINARY:
        vector = probability_vector(probabilities[0])
    else:
        vector = array_to_vector(F.array(*probabilities)).alias("probability")
    return [label_index(prediction, target.labels).alias("prediction"), vector]
