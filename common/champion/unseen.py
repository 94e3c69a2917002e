"""Comparison of two models on rows that neither was trained on, identified by the rows' content."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.champion.verdict import Comparison, Incomparable, compare_parts
from common.data.row_hash import HASH, quoted, quoted_name, row_hash
from common.data.target import BINARY, REGRESSION, Target
from common.learning.score_table import score_tables
from common.learning.tasks import scores
from common.learning.vectorizer import LABEL
from common.search.folds import FOLD_RANK, assign_fold_rank
from common.search.winner import predictions

# With fewer rows a comparison is meaningless.
LEAST_ROWS = 200
# The rows are compared in parts, like folds, to get a standard error.
PARTS = 5
PART = "__part"


@dataclass(frozen=True)
class Trained:
    """A model with its training and test rows.

    Attributes:
        pipeline: The scoring pipeline: raw record -> prediction and probability.
        train: The raw training records with their `label`.
        test: The raw test records with their `label`.
        complete: Names of the columns in which the model takes no missing value.
    """

    pipeline: PipelineModel
    train: DataFrame
    test: DataFrame
    complete: tuple[str, ...] = ()


def unseen_rows(ours: Trained, theirs: Trained, names: Sequence[str]) -> DataFrame:
    """Return the test rows of both models whose content is in neither model's training rows.

    A row that is in both models' test rows is taken from the first only. Rows that lack a value which one
    of the models requires are left out.

    Args:
        ours: The first model.
        theirs: The second model, with the same inputs and label.
        names: Names of the inputs and of the label: other columns make no row another, since a model
            does not see them.
    """
    columns = [*[quoted(name) for name in names], F.col(LABEL)]
    own, other = (one.test.select(*columns, row_hash(names, "").alias(HASH)) for one in (ours, theirs))
    seen = [one.train.select(row_hash(names, "").alias(HASH)) for one in (ours, theirs)]
    both = own.unionByName(other.join(own.select(HASH), HASH, "left_anti"))
    unseen = both.join(seen[0].union(seen[1]), HASH, "left_anti").drop(HASH)
    return unseen.dropna(subset=[quoted_name(name) for name in {*ours.complete, *theirs.complete}])


def compare_on_unseen(
    ours: Trained, theirs: Trained, names: Sequence[str], label: str, target: Target, metric: str
) -> Comparison:
    """Compare two models on rows that neither was trained on, in parts stratified by label.

    Args:
        ours: The first model.
        theirs: The second model.
        names: Names of the inputs and of the label.
        label: Name of the label's column.
        target: What is predicted.
        metric: One of the task's metrics.

    Raises:
        Incomparable: There are fewer than LEAST_ROWS such rows, or fewer than two labels with PARTS rows.
    """
    unseen = unseen_rows(ours, theirs, names)
    rows = assign_fold_rank(unseen, label, 0, target.task).cache()
    try:
        total = _count(rows, target)
        in_parts = rows.withColumn(PART, F.col(FOLD_RANK) % PARTS)
        first, second = (
            [
                scores(table)[metric]
                for table in score_tables(
                    predictions(one.pipeline, in_parts, target, PART), PART, target, total
                )
            ]
            for one in (ours, theirs)
        )
        where = f"on {total:,} rows that neither was trained on, in {PARTS} parts"
        return compare_parts(metric, first, second, where)
    finally:
        rows.unpersist()


def _count(rows: DataFrame, target: Target) -> int:
    """Count rows; refuse too few, or labels of which not every part would have two."""
    if target.task == REGRESSION:
        total, said, asked, enough = rows.count(), "", "", True
    else:
        counts = sorted(row["count"] for row in rows.groupBy(LABEL).count().collect())
        # Of several labels a rare one may be absent from a part: its metrics are of those that occur.
        second = counts[-2] if len(counts) > 1 else 0
        total, enough = sum(counts), second >= PARTS
        which = "rarer" if target.task == BINARY else "second most frequent"
        said = f", {second} with the {which} label"
        asked = f", and {PARTS} with {'each label' if target.task == BINARY else 'each of two labels'}"
    if total < LEAST_ROWS or not enough:
        raise Incomparable(
            f"there are {total:,} rows that neither was trained on, nor on an equal one{said}: at least "
            f"{LEAST_ROWS} are required{asked}"
        )
    return total
