"""Export of a scoring pipeline, which ends with the check that it scores as the pipeline does."""

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

# Probabilities further apart than this are no rounding.
TOLERANCE = 1e-5

SPARK = "__spark_"


class ExportError(Exception):
    """The portable model does not score as the Spark pipeline does: a fault of the export."""


@dataclass(frozen=True)
class Agreement:
    """How far two models agree.

    Attributes:
        rows: that were compared.
        labels: rows with another label.
        probabilities: rows whose probability is apart by more than TOLERANCE.
        largest: difference of two probabilities.
        refused: rows that the portable model does not take, as with a null for a number.
    """

    rows: int
    labels: int
    probabilities: int
    largest: float
    refused: int


def export(pipeline: PipelineModel, spec: DatasetSpec, test: DataFrame) -> tuple[bytes, Agreement]:
    """Write a scoring pipeline as ONNX, and check it against the pipeline on rows.

    Args:
        pipeline: raw record -> prediction (text) and probability.
        spec: of the records.
        test: raw records to compare both on, all of them.

    Raises:
        ExportError: a label differs, a probability is further apart than TOLERANCE, or there was
            nothing to compare. It keeps its trace: no user can mend it.
    """
    model = pipeline_model(pipeline, spec).SerializeToString()
    found = agreement(pipeline, model, spec, test)
    if not found.rows:
        raise ExportError(f"the portable model takes none of {found.refused} test rows")
    if found.labels or found.probabilities:
        raise ExportError(
            f"the portable model differs from the Spark pipeline on {found.rows} test rows: "
            f"{found.labels} labels, and {found.probabilities} probabilities by more than {TOLERANCE:g} "
            f"(at most {found.largest:.2g})"
        )
    return model, found


def agreement(pipeline: PipelineModel, model: bytes, spec: DatasetSpec, rows: DataFrame) -> Agreement:
    """Score rows by both models, where the rows are, in one Spark job."""
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
                    # What is not a number is not near either.
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
    """Return what the pipeline knows of each column: its categories, or the least and most seen.

    Args:
        pipeline: whose first stages are a vectoriser's.
        spec: of the records.

    Returns:
        The columns of a record in order, by name, and the labels. Plain values, as JSON has them.
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
