"""Conversion of a search's rows to the arrays of the boosting engine, on the driver."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


def fold_matrix(tables: Iterable[pa.Table]) -> tuple[FoldMatrix, np.ndarray]:
    """Convert rows with the columns of `arrow_columns` to arrays.

    The driver may just be able to hold them, so they are converted batch by batch.

    Args:
        tables: The rows in parts, of which one is held at a time.

    Returns:
        The rows, and their ids, ascending.
    """
    parts = deque(_part(batch) for table in tables for batch in table.to_batches() if len(batch))
    places, values = _kinds([part.features for part in parts])
    ends = np.cumsum([len(part.label) for part in parts])
    numbers, indicators = np.empty((ends[-1], len(places))), []
    each_row: list[tuple[np.ndarray, ...]] = []
    for end in ends:
        # What has been converted goes: the rows are not held twice.
        part = parts.popleft()
        numbers[end - len(part.label) : end] = part.features[:, places].toarray()
        indicators.append(_indicators(part.features, places))
        weights = () if part.weight is None else (part.weight,)
        each_row.append((part.row, part.label, part.fold, *weights))
    row, label, fold, *weighing = (np.concatenate(one) for one in zip(*each_row, strict=True))
    matrix = FoldMatrix(
        numbers=numbers,
        places=places.astype(np.int32),
        indicators=sp.vstack(indicators, "csr"),
        label=label,
        fold=fold,
        weight=weighing[0] if weighing else None,
        values=values,
    )
    return matrix, row


@dataclass(frozen=True)
class _Part:
    """Some rows; their features are those of Spark (CSR, float64)."""

    features: sp.csr_matrix
    label: np.ndarray
    fold: np.ndarray
    weight: np.ndarray | None
    row: np.ndarray


def _part(batch: pa.RecordBatch) -> _Part:
    table = pa.Table.from_batches([batch])
    # Copies, so that what Arrow holds can go.
    label, fold, row = (np.array(table[name]) for name in (LABEL, FOLD, ROW))
    weight = np.array(table[WEIGHT]) if WEIGHT in table.column_names else None
    return _Part(sparse_rows(table), label.astype(float), fold, weight, row)


def _kinds(parts: Sequence[sp.csr_matrix]) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns that have at least two distinct non-zero values, and the one value of others."""
    low, high = np.full(parts[0].shape[1], np.inf), np.full(parts[0].shape[1], -np.inf)
    for part in parts:
        by_column = part.tocsc()
        filled = np.flatnonzero(np.diff(by_column.indptr))
        starts, stored = by_column.indptr[filled], by_column.data
        # A missing number, NaN, is equal to none, so its column is one of numbers.
        low[filled] = np.minimum(low[filled], np.minimum.reduceat(stored, starts))
        high[filled] = np.maximum(high[filled], np.maximum.reduceat(stored, starts))
    is_empty = low > high
    return np.flatnonzero((low != high) & ~is_empty), np.where(low == high, low, 0)


def _indicators(part: sp.csr_matrix, numbers: np.ndarray) -> sp.csr_matrix:
    """Return 1 for each value that is not in one of these columns (rows x features, CSR, float32)."""
    of_numbers = np.zeros(part.shape[1], bool)
    of_numbers[numbers] = True
    # Not by a product with zeros: that of a missing number, NaN, would be no zero.
    data = (~of_numbers[part.indices]).astype(np.float32)
    found = sp.csr_matrix((data, part.indices, part.indptr), part.shape, copy=True)
    found.eliminate_zeros()
    return found


def draw_samples(
    numbered: DataFrame,
    fold: np.ndarray,
    weight: np.ndarray | None,
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
        fold: The fold of each row, in the order of row_ids.
        weight: The weight of each row; 1 if None.
        row_ids: Ids of the rows, ascending.
        size: Expected number of rows to draw; all rows are drawn if there are fewer.
        seed: Seed of the estimator.
        folds: The folds, or WHOLE.
    """
    spark = numbered.sparkSession
    jvm: Any = spark.sparkContext._jvm
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
    total = np.ones(len(fold)) if weight is None else weight
    return Samples(places, {left: fractions[left] * float(total[fold != left].sum()) for left in folds})
