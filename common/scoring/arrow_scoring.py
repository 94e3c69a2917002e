"""The scores of a portable model, as Arrow's arrays, of values that Spark's workers have read."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from common.data.records import Then
from common.scoring.serving.scorer import Scorer

TYPES: Mapping[type, tuple[T.DataType, pa.DataType]] = {
    str: (T.StringType(), pa.string()),
    float: (T.DoubleType(), pa.float64()),
}


def scores_of(spark: SparkSession, model: bytes, outputs: Mapping[str, type]) -> Then:
    """Return what scores the values of records where they are read.

    Args:
        spark: The session.
        model: The pipeline as serialized ONNX.
        outputs: The columns of the answer, in order, and the type of each.

    Returns:
        What makes a structure of each record, with the outputs as fields; null if a number among them
        is not finite.
    """
    sent = spark.sparkContext.broadcast(model)
    kinds = {name: TYPES[kind] for name, kind in outputs.items()}

    def begin() -> Callable[[Mapping[str, np.ndarray]], pa.Array]:
        scorer = Scorer(sent.value)

        def scores(values: Mapping[str, np.ndarray]) -> pa.Array:
            found = scorer.score(values)
            arrays = [pa.array(found[name], kind) for name, (_, kind) in kinds.items()]
            endless = ~np.logical_and.reduce(
                [np.isfinite(v) for v in found.values() if v.dtype != object]
            )
            return pa.StructArray.from_arrays(arrays, list(kinds), mask=pa.array(endless))

        return scores

    return Then(T.StructType([T.StructField(name, of) for name, (of, _) in kinds.items()]), begin)
