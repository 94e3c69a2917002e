"""Conversion of a search's rows to the arrays of the boosting engine, on the driver."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.learning.vectorizer import FEATURES, LABEL, WEIGHT
from common.search.engines.boosting.matrix import FoldMatrix, Samples, sparse_rows
from common.search.folds import FOLD

ROW = "row"


def arrow_columns(numbered: DataFrame) -> DataFrame:
    """Return features, label, fold, weight and the row's id as columns of types that Arrow supports."""
    weights = [WEIGHT] if WEIGHT in numbered.columns else []
    return numbered.select(ROW, LABEL, FOLD, *weights, *vector_columns())


def vector_columns() -> list[Column]:
    """Return the parts of the features' vector, of types that Arrow supports."""
    vector = F.unwrap_udt(FEATURES)
    return [vector[name].alias(name) for name in ("size", "indices", "values")]


def fold_matrix(table: pa.Table) -> tuple[FoldMatrix, np.ndarray]:
    """Convert rows with the columns of `arrow_columns` to arrays.

    Returns:
        The rows, and their ids, ascending.
    """
    features = sparse_rows(table)
    places, values = _kinds(features)
    is_number = np.zeros(features.shape[1], bool)
    is_number[places] = True
    numbers = features[:, places].toarray()
    # Not by a product with zeros: that of a missing number, NaN, would be no zero.
    indicators = sp.csr_matrix(
        ((~is_number[features.indices]).astype(np.float32), features.indices, features.indptr),
        features.shape,
        copy=True,
    )
    indicators.eliminate_zeros()
    matrix = FoldMatrix(
        numbers=numbers,
        places=places.astype(np.int32),
        indicators=indicators,
        label=table[LABEL].to_numpy().astype(float),
        fold=table[FOLD].to_numpy(),
        weight=table[WEIGHT].to_numpy() if WEIGHT in table.column_names else None,
        values=values,
    )
    return matrix, table[ROW].to_numpy()


def _kinds(features: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns that have at least two distinct non-zero values, and the one value of others."""
    by_column = features.tocsc()
    filled = np.flatnonzero(np.diff(by_column.indptr))
    starts = by_column.indptr[filled]
    stored = by_column.data
    low, high = np.minimum.reduceat(stored, starts), np.maximum.reduceat(stored, starts)
    values = np.zeros(features.shape[1])
    values[filled] = np.where(low == high, low, 0)
    return filled[low != high], values


def draw_samples(
    numbered: DataFrame,
    matrix: FoldMatrix,
    row_ids: np.ndarray,
    size: int,
    seed: int,
    folds: Sequence[int],
) -> Samples:
    """Draw, for each fold, the rows from which Spark would choose the thresholds of a fit without it.

    Source: Spark's `RandomForest.findSplits`, which samples the RDD of the training rows. Its seed is the
    first number of a generator that starts from the estimator's seed.

    Args:
        numbered: Features, label, fold and the row's id, partitioned as for the estimators.
        matrix: The rows, in the order of row_ids.
        row_ids: Ids of the rows, ascending.
        size: Expected number of rows to draw; all rows are drawn if there are fewer.
        seed: Seed of the estimator.
        folds: The folds, or WHOLE.
    """
    spark = numbered.sparkSession
    jvm: Any = spark.sparkContext._jvm
    fold = matrix.fold
    drawn_seed = jvm.org.apache.spark.util.random.XORShiftRandom(seed).nextInt()
    rows = {left: int((fold != left).sum()) for left in folds}
    fractions = {left: min(1.0, size / count) for left, count in rows.items()}
    parts = []
    for left in folds:
        train = numbered.where(F.col(FOLD) != left).select(ROW)
        if fractions[left] < 1:
            java = train._jdf.toJavaRDD().sample(False, fractions[left], drawn_seed)
            train = DataFrame(spark._jsparkSession.createDataFrame(java, train._jdf.schema()), spark)
        parts.append(train.select(ROW, F.lit(left).alias(FOLD)))
    union = parts[0]
    for part in parts[1:]:
        union = union.union(part)
    drawn = union.toArrow()
    of_fold, ids = drawn[FOLD].to_numpy(), drawn[ROW].to_numpy()
    places = {left: np.searchsorted(row_ids, ids[of_fold == left]) for left in folds}
    total = np.ones(len(fold)) if matrix.weight is None else matrix.weight
    return Samples(places, {left: fractions[left] * float(total[fold != left].sum()) for left in folds})
