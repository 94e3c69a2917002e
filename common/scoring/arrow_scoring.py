"""The scores of a portable model, as Arrow's arrays, of values that Spark's workers have read."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from common.data.records import Then
from common.scoring.row_counts import Counted, Values
from common.scoring.serving.scorer import Scorer

TYPES: Mapping[type, tuple[T.DataType, pa.DataType]] = {
    str: (T.StringType(), pa.string()),
    float: (T.DoubleType(), pa.float64()),
}


# The field of the scores with the counts of a batch, as text, in one of its rows that has scores.
COUNTS = "__counts"


def scores_of(spark: SparkSession, model: bytes, outputs: Mapping[str, type], counted: Counted) -> Then:
    """Return what scores the values of records, and counts them, where they are read.

    Args:
        spark: The session.
        model: The pipeline as serialized ONNX.
        outputs: The columns of the answer, in order, and the type of each.
        counted: What is counted of the rows that have scores.

    Returns:
        What makes a structure of each record, with the outputs and COUNTS as fields; null if a number
        among the outputs is not finite.
    """
    sent = spark.sparkContext.broadcast((model, counted))
    kinds = {name: TYPES[kind] for name, kind in outputs.items()} | {COUNTS: TYPES[str]}

    def begin() -> Callable[[Values], pa.Array]:
        model, counted = sent.value
        scorer, count = Scorer(model), counted.counter()

        def scores(values: Values) -> pa.Array:
            found = scorer.score(values)
            finite = np.logical_and.reduce([np.isfinite(v) for v in found.values() if v.dtype != object])
            found[COUNTS] = np.full(len(finite), None, dtype=object)
            if finite.any():
                of = values if finite.all() else {name: v[finite] for name, v in values.items()}
                found[COUNTS][np.argmax(finite)] = count(of).as_text()
            arrays = [pa.array(found[name], kind) for name, (_, kind) in kinds.items()]
            return pa.StructArray.from_arrays(arrays, list(kinds), mask=pa.array(~finite))

        return scores

    return Then(T.StructType([T.StructField(name, of) for name, (of, _) in kinds.items()]), begin)
