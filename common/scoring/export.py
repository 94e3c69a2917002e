"""Export of a scoring pipeline to ONNX, checked against the Spark pipeline row by row."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.feature import MinMaxScalerModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.readable import bound
from common.data.reading import DATE, INTEGER, TIMESTAMP
from common.data.row_hash import quoted
from common.data.spec import Column, DatasetSpec
from common.data.target import BINARY, REGRESSION
from common.learning.prepare import DAYS, ITSELF, numbers_of
from common.learning.vectorizer import categories_of, missing_of
from common.machine.arrow_batches import arrow_batches
from common.scoring.comparison import TOLERANCE, Agreement
from common.scoring.portable_model import PREDICTION, PROBABILITY
from common.scoring.stages import pipeline_model
from common.search.winner import threshold_of

DAY_0 = date(1970, 1, 1).toordinal()


class ExportError(Exception):
    """The portable model's scores differ from the Spark pipeline's: a bug in the export."""


def export(pipeline: PipelineModel, spec: DatasetSpec, test: DataFrame) -> tuple[bytes, Agreement]:
    """Convert a scoring pipeline to ONNX, and check the result against the pipeline.

    Args:
        pipeline: The pipeline from raw record to prediction and probabilities.
        spec: The data set that the records belong to.
        test: Raw records; the two models are compared on all of them.

    Returns:
        The serialized ONNX model, and how well it agrees with the pipeline.

    Raises:
        ExportError: A label differs, a probability or a number differs by more than TOLERANCE, or there
            was nothing to compare. It is not a UserError, since no user can fix it: the traceback is
            shown.
    """
    model = pipeline_model(pipeline, spec).SerializeToString()
    found = agreement(pipeline, model, spec, test)
    if not found.rows:
        raise ExportError(f"the portable model accepts none of the {found.refused} test rows")
    if found.labels or found.numbers:
        what = "numbers" if spec.task == REGRESSION else "probabilities"
        raise ExportError(
            f"the portable model differs from the Spark pipeline on {found.rows} test rows: "
            f"{found.labels} labels, and {found.numbers} {what} by more than {TOLERANCE:g} "
            f"(at most {bound(found.largest)})"
        )
    return model, found


def agreement(pipeline: PipelineModel, model: bytes, spec: DatasetSpec, rows: DataFrame) -> Agreement:
    """Score rows with both models in one Spark job, on the workers.

    Args:
        pipeline: The pipeline from raw record to prediction and probabilities.
        model: The serialized ONNX model.
        spec: The data set that the records belong to.
        rows: Raw records.
    """
    # The records have the data set's own names.
    form = replace(spec.input_form, renamed={})
    whole = pipeline.transform(rows.select(*[quoted(column.name) for column in spec.inputs]))
    columns = [*map(_for_python, spec.inputs), *_answer(spec)]
    # In a name of the user's a dot would be a field of a structure.
    scored = whole.select(*[column.alias(f"__{place}") for place, column in enumerate(columns)])
    batches, schema = arrow_batches(scored)

    def compared(raw: Iterable[bytes]) -> Iterator[Agreement]:
        from common.scoring.comparison import compare

        return compare(raw, schema, model, form)

    return reduce(Agreement.__add__, batches.mapPartitions(compared).collect(), Agreement())


def _for_python(column: Column) -> SparkColumn:
    """Return a column as the rules of reading take it, whatever its value and beside any null."""
    value = quoted(column.name)
    if column.type in (DATE, TIMESTAMP):
        # pandas has no nanoseconds in years before 1677 or after 2262.
        value = value.cast("string")
    elif column.type == INTEGER and column.missing > 0:
        # Beside a null pandas would make them doubles, which do not hold every integer.
        value = value.cast("decimal(20,0)")
    return value


def _answer(spec: DatasetSpec) -> list[SparkColumn]:
    """Return a scoring pipeline's answer in the columns of a portable model's."""
    values = [F.col(PREDICTION)]
    if spec.task != REGRESSION:
        each = vector_to_array(F.col(PROBABILITY))
        places = [1] if spec.task == BINARY else range(spec.target.classes)
        # A classifier knows no labels after the last one that a training row had.
        values += [F.coalesce(F.get(each, F.lit(place)), F.lit(0.0)) for place in places]
    return values


def vocabulary(pipeline: PipelineModel, spec: DatasetSpec) -> dict[str, Any]:
    """Return what a pipeline learned about each column: its categories, or the range of its values.

    Args:
        pipeline: A pipeline that begins with the vectorizer's stages.
        spec: The data set that the records belong to.

    Returns:
        The task, the threshold of two labels, the label and its type, the labels, and the columns of a
        record in order, as values that JSON has. A column has its type, its role and the share of
        training rows without a value. A category has its categories, and whether these are only the
        most frequent ones, so that all others share one feature (`capped`). A number has its least and
        its most, and a date its first and its last day.
    """
    known = _ranges(pipeline, spec) | _categories(pipeline, spec)
    columns = {
        column.name: {
            "type": column.type,
            "role": column.role,
            "missing": column.missing,
            **known.get(column.name, {}),
        }
        for column in spec.inputs
    }
    label = next(column for column in spec.columns if column.name == spec.label)
    threshold = {"threshold": threshold_of(pipeline)} if spec.task == BINARY else {}
    return {
        "dataset": spec.name,
        "task": spec.task,
        **threshold,
        "label": spec.label,
        "label_type": label.type,
        "labels": list(spec.labels),
        "positive": spec.positive,
        "columns": columns,
    }


def _categories(pipeline: PipelineModel, spec: DatasetSpec) -> dict[str, dict[str, Any]]:
    """Return each column's categories; a missing value among them is MISSING_TEXT."""
    return {
        # A column with exactly as many may have no others, which makes no difference to a new one.
        name: {"categories": categories, "capped": len(categories) >= spec.max_categories}
        for name, categories in categories_of(pipeline, spec).items()
    }


def _ranges(pipeline: PipelineModel, spec: DatasetSpec) -> dict[str, dict[str, Any]]:
    numbers = numbers_of(spec, missing_of(pipeline))
    found: dict[str, dict[str, Any]] = {}
    for stage in pipeline.stages:
        if not isinstance(stage, MinMaxScalerModel):
            continue
        least, most = stage.originalMin.toArray(), stage.originalMax.toArray()
        for number, low, high in zip(numbers, least, most, strict=True):
            # Without a single value in training the least is above the most.
            if number.part in (ITSELF, DAYS) and low <= high:
                ends = {"least": float(low), "most": float(high)}
                found[number.column.name] = (
                    {end: _day(value) for end, value in ends.items()} if number.part == DAYS else ends
                )
    return found


def _day(days: float) -> str:
    return date.fromordinal(DAY_0 + int(days)).isoformat()
