"""Export of a scoring pipeline to ONNX, checked against the Spark pipeline row by row."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.feature import MinMaxScalerModel, StringIndexerModel, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.reading import read_rows
from common.data.row_hash import quoted
from common.data.spec import DatasetSpec
from common.scoring.portable_model import PREDICTION, PROBABILITY, Scorer
from common.scoring.stages import pipeline_model

# A larger difference between two probabilities is not a rounding error.
TOLERANCE = 1e-5

SPARK = "__spark_"


class ExportError(Exception):
    """The portable model's scores differ from the Spark pipeline's: a bug in the export."""


@dataclass(frozen=True)
class Agreement:
    """How well two models agree.

    Attributes:
        rows: Number of rows compared.
        labels: Number of rows with different labels.
        probabilities: Number of rows whose probabilities differ by more than TOLERANCE.
        largest: The largest difference between two probabilities.
        refused: Number of rows that the portable model refuses, such as rows with a null for a number.
    """

    rows: int
    labels: int
    probabilities: int
    largest: float
    refused: int


def export(pipeline: PipelineModel, spec: DatasetSpec, test: DataFrame) -> tuple[bytes, Agreement]:
    """Convert a scoring pipeline to ONNX, and check the result against the pipeline.

    Args:
        pipeline: The pipeline from raw record to prediction (text) and probability.
        spec: The data set that the records belong to.
        test: Raw records; the two models are compared on all of them.

    Returns:
        The serialized ONNX model, and how well it agrees with the pipeline.

    Raises:
        ExportError: A label differs, a probability differs by more than TOLERANCE, or there was nothing
            to compare. It is not a UserError, since no user can fix it: the traceback is shown.
    """
    model = pipeline_model(pipeline, spec).SerializeToString()
    found = agreement(pipeline, model, spec, test)
    if not found.rows:
        raise ExportError(f"the portable model accepts none of the {found.refused} test rows")
    if found.labels or found.probabilities:
        raise ExportError(
            f"the portable model differs from the Spark pipeline on {found.rows} test rows: "
            f"{found.labels} labels, and {found.probabilities} probabilities by more than {TOLERANCE:g} "
            f"(at most {found.largest:.2g})"
        )
    return model, found


def agreement(pipeline: PipelineModel, model: bytes, spec: DatasetSpec, rows: DataFrame) -> Agreement:
    """Score rows with both models in one Spark job, on the workers.

    Args:
        pipeline: The pipeline from raw record to prediction (text) and probability.
        model: The serialized ONNX model.
        spec: The data set that the records belong to.
        rows: Raw records.
    """
    names, optional = [quoted(column.name) for column in spec.inputs], spec.input_form.optional
    positive = vector_to_array(F.col(PROBABILITY))[1].alias(SPARK + PROBABILITY)
    scored = pipeline.transform(rows.select(*names)).select(
        *names, F.col(PREDICTION).alias(SPARK + PREDICTION), positive
    )

    def compare(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        scorer = Scorer(model)
        for frame in frames:
            read = read_rows(frame, scorer.columns, optional)
            good = frame[read.good]
            ours = scorer.score({name: values[read.good] for name, values in read.values.items()})
            apart = (ours[PROBABILITY] - good[SPARK + PROBABILITY].to_numpy()).abs()
            yield pd.DataFrame(
                {
                    "rows": [len(good)],
                    "labels": [int((ours[PREDICTION] != good[SPARK + PREDICTION].to_numpy()).sum())],
                    # Negated, so that NaN counts as a difference.
                    "probabilities": [int((~(apart <= TOLERANCE)).sum())],
                    "largest": [float(apart.max()) if len(apart) else 0.0],
                    "refused": [len(frame) - len(good)],
                }
            )

    kinds = "rows long, labels long, probabilities long, largest double, refused long"
    counts = ("rows", "labels", "probabilities", "refused")
    total = (
        scored.mapInPandas(compare, kinds)
        .agg(*[F.sum(name).alias(name) for name in counts], F.max("largest").alias("largest"))
        .first()
    )
    found: dict[str, Any] = total.asDict() if total else {}
    return Agreement(**{name: found.get(name) or 0 for name in (*counts, "largest")})


def vocabulary(pipeline: PipelineModel, spec: DatasetSpec) -> dict[str, Any]:
    """Return what the pipeline learned about each column: its categories, or the range of its values.

    Args:
        pipeline: A pipeline that begins with the vectorizer's stages.
        spec: The data set that the records belong to.

    Returns:
        The columns of a record in order, by name, and the labels, as JSON-serializable values.
    """
    known: dict[str, dict[str, Any]] = {}
    numbers: list[str] = []
    for stage in pipeline.stages:
        if isinstance(stage, StringIndexerModel):
            for name, labels in zip(stage.getInputCols(), stage.labelsArray, strict=True):
                known[name] = {"categories": list(labels)}
        elif isinstance(stage, MinMaxScalerModel):
            seen = zip(numbers, stage.originalMin.toArray(), stage.originalMax.toArray(), strict=True)
            known |= {name: {"least": float(low), "most": float(high)} for name, low, high in seen}
        elif isinstance(stage, VectorAssembler):
            numbers = stage.getInputCols()
    columns = {c.name: {"type": c.type, "role": c.role, **known.get(c.name, {})} for c in spec.inputs}
    return {
        "dataset": spec.name,
        "label": spec.label,
        "labels": list(spec.labels),
        "positive": spec.positive,
        "columns": columns,
    }
