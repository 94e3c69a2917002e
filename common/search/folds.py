"""Fold data: the training rows in a fixed order, each with its fold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.stratify import RANK, SIZE, rank_in_strata
from common.errors import UserError
from common.learning.vectorizer import FEATURES, LABEL

FOLD_RANK = "fold_rank"
FOLD = "fold"

# Up to this many rows a fit is fastest in one partition, since more tasks cost more than they save. The
# number of partitions depends only on the rows, because Spark's tree splits depend on it.
PARTITION_ROWS = 250_000


def assign_fold_rank(frame: DataFrame, label: str, seed: int) -> DataFrame:
    """Add `fold_rank`: the row's rank among the rows with its label, in the order of a hash.

    With k folds a row's fold is fold_rank % k, so for any k the folds are stratified by label to within
    one row.

    Args:
        frame: Training rows with their raw columns.
        label: Name of the label's column.
        seed: Seed of the hash; it determines which rows share a fold.
    """
    ranked = rank_in_strata(frame, [label], f"fold:{seed}")
    return ranked.withColumnRenamed(RANK, FOLD_RANK).drop(SIZE)


@dataclass(frozen=True)
class FoldData:
    """Training rows for k folds: features, label and fold, cached and in a fixed order.

    Attributes:
        frame: The rows.
        folds: Number of folds, k.
        label_rows: Numbers of rows with label 0 and with label 1. Every fold has the same shares, to
            within a row.
    """

    frame: DataFrame
    folds: int
    label_rows: tuple[int, int]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.label_rows)

    @cached_property
    def partitions(self) -> dict[int, tuple[int, int]]:
        """Number of rows and of stored feature values in each non-empty partition."""
        stored = F.size(F.unwrap_udt(FEATURES)["values"])
        counts = self.frame.groupBy(F.spark_partition_id().alias("part")).agg(
            F.count(F.lit(1)).alias("rows"), F.sum(stored).alias("values")
        )
        return {row["part"]: (row["rows"], int(row["values"])) for row in counts.collect()}

    def train(self, fold: int) -> DataFrame:
        """Return the rows to fit on when `fold` is left out."""
        return self.frame.where(F.col(FOLD) != fold)

    def validation(self, fold: int) -> DataFrame:
        """Return the rows of `fold`, which are used for scoring."""
        return self.frame.where(F.col(FOLD) == fold)


def fold_data(train: DataFrame, folds: int, keep: Sequence[str] = ()) -> FoldData:
    """Prepare training rows for a search over k folds.

    Args:
        train: Training rows with features, label and fold_rank.
        folds: Number of folds, k; at least 2 and at most the number of rows with the rarer label.
        keep: Names of other columns to keep.

    Raises:
        UserError: `folds` is out of range, the rows do not come from featurize, or only one label occurs.
    """
    if FOLD_RANK not in train.columns:
        raise UserError(f"the training rows have no column {FOLD_RANK}: they must come from featurize")
    counted = {row[LABEL]: row["count"] for row in train.groupBy(LABEL).count().collect()}
    label_rows = counted.get(0.0, 0), counted.get(1.0, 0)
    rarer, rows = min(label_rows), sum(label_rows)
    if not rarer:
        raise UserError("the training rows have only one label: nothing can be learnt from them")
    if not 2 <= folds <= rarer:
        raise UserError(
            f"folds must lie between 2 and {rarer}, the number of rows with the rarer label; got {folds}"
        )
    partitions = math.ceil(rows / PARTITION_ROWS)
    fold = (F.col(FOLD_RANK) % folds).cast("int").alias(FOLD)
    ordered = (
        train.select(FEATURES, LABEL, FOLD_RANK, fold, *[quoted(name) for name in keep])
        .repartition(partitions, FOLD_RANK, LABEL)
        .sortWithinPartitions(LABEL, FOLD_RANK)
        .drop(FOLD_RANK)
    )
    return FoldData(ordered.cache(), folds, label_rows)
