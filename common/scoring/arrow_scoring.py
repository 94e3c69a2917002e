"""The scores of a portable model as a Spark function of its columns, from Arrow to Arrow.

Spark's workers import this module, so it imports neither pandas nor MLflow, which take longer to import
than a file of a hundred thousand records to score.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import types as T
from pyspark.sql.pandas.functions import arrow_udf

from common.scoring.serving.scorer import Scorer

TYPES: Mapping[type, tuple[T.DataType, pa.DataType]] = {
    str: (T.StringType(), pa.string()),
    float: (T.DoubleType(), pa.float64()),
}


def model_function(
    spark: SparkSession, model: bytes, columns: Sequence[str], outputs: Mapping[str, type]
) -> Callable[..., Any]:
    """Return a function of columns that scores records.

    Args:
        spark: The session.
        model: The pipeline as serialized ONNX.
        columns: The model's name of each column that the function is given; its values are those that
            `read_rows` returns, with dates as microseconds since 1970.
        outputs: The columns of the answer, in order, and the type of each.

    Returns:
        A function of Spark columns, whose value is a structure with the outputs as fields.
    """
    sent = spark.sparkContext.broadcast(model)
    names = list(outputs)
    kinds = [TYPES[kind] for kind in outputs.values()]

    def score(batches: Iterator[Any]) -> Iterator[pa.Array]:
        scorer = Scorer(sent.value)
        for batch in batches:
            # Spark gives the only column as it is, and several as a tuple.
            arrays = batch if isinstance(batch, tuple) else (batch,)
            values = {name: _values(array) for name, array in zip(columns, arrays, strict=True)}
            found = scorer.score(values)
            scores = [pa.array(found[name], kind) for name, (_, kind) in zip(names, kinds, strict=True)]
            yield pa.StructArray.from_arrays(scores, names)

    result = T.StructType([T.StructField(name, of) for name, (of, _) in zip(names, kinds, strict=True)])
    # Spark tells by the hints which kind of function this is; its own stubs know no structures.
    given = tuple[pa.Array, ...] if len(columns) > 1 else pa.Array
    score.__annotations__ = {"batches": Iterator[given], "return": Iterator[pa.Array]}  # type: ignore[valid-type]
    made: Any = arrow_udf
    scoring: Callable[..., Any] = made(score, result)
    return scoring


def _values(array: pa.Array) -> np.ndarray:
    if not pa.types.is_string(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    # A Python text for each distinct value, not for each record: columns of categories repeat theirs.
    texts = array.dictionary_encode()
    known = np.array(texts.dictionary.to_pylist(), dtype=object)
    return known[texts.indices.to_numpy()]
