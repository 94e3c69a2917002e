"""Two models on rows that neither was trained on, told by the rows' content."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.champion.verdict import Comparison, Incomparable, compare_parts
from common.data.row_hash import quoted, row_hash
from common.learning.metrics import scores
from common.learning.score_table import score_tables
from common.learning.vectorizer import LABEL
from common.search.folds import FOLD_RANK, assign_fold_rank
from common.search.winner import predictions

# Fewer rows tell nothing.
LEAST_ROWS = 200
# The rows are compared in parts, as over folds, so that there is a standard error.
PARTS = 5
HASH, PART = "__hash", "__part"


@dataclass(frozen=True)
class Trained:
    """A model with the rows that it learnt from and those it did not.

    Attributes:
        pipeline: raw record -> prediction and probability.
        train: raw records with their `label`.
        test: the same of the other rows.
    """

    pipeline: PipelineModel
    train: DataFrame
    test: DataFrame


def unseen_rows(ours: Trained, theirs: Trained, names: Sequence[str]) -> DataFrame:
    """Return the test rows of both whose content is in neither's training rows.

    A row that both have among their test rows is there once.

    Args:
        ours: one model.
        theirs: the other, of the same columns.
        names: of the raw columns, the label's too.
    """
    columns = [*[quoted(name) for name in names], F.col(LABEL)]
    own, other = (one.test.select(*columns, row_hash(names, "").alias(HASH)) for one in (ours, theirs))
    seen = [one.train.select(row_hash(names, "").alias(HASH)) for one in (ours, theirs)]
    both = own.unionByName(other.join(own.select(HASH), HASH, "left_anti"))
    return both.join(seen[0].union(seen[1]), HASH, "left_anti").drop(HASH)


def compare_on_unseen(
    ours: Trained, theirs: Trained, names: Sequence[str], label: str, metric: str
) -> Comparison:
    """Compare two models on rows that neither was trained on, in parts stratified by label.

    Args:
        ours: one model.
        theirs: the other.
        names: of the raw columns.
        label: which of them is the label.
        metric: one of METRICS.

    Raises:
        Incomparable: there are fewer than LEAST_ROWS such rows, or fewer than PARTS of a label.
    """
    rows = assign_fold_rank(unseen_rows(ours, theirs, names), label, seed=0).cache()
    counts = {row[LABEL]: row["count"] for row in rows.groupBy(LABEL).count().collect()}
    total, rarer = sum(counts.values()), min(counts.get(0.0, 0), counts.get(1.0, 0))
    try:
        if total < LEAST_ROWS or rarer < PARTS:
            raise Incomparable(
                f"there are {total:,} rows that neither was trained on, {rarer} of the rarer label: "
                f"at least {LEAST_ROWS} are needed, and {PARTS} of each label"
            )
        in_parts = rows.withColumn(PART, F.col(FOLD_RANK) % PARTS)
        first, second = (
            [
                scores(table)[metric]
                for table in score_tables(predictions(one.pipeline, in_parts, PART), PART, total)
            ]
            for one in (ours, theirs)
        )
        where = f"on {total:,} rows that neither was trained on, in {PARTS} parts"
        return compare_parts(metric, first, second, where)
    finally:
        rows.unpersist()
