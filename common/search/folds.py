"""Fold data: the training rows in a fixed order, each with its fold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from statistics import fmean

import numpy as np
import pandas as pd
from pyspark.ml import Estimator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.quantiles import QUANTILE, with_quantile
from common.data.row_hash import quoted
from common.data.strata_rank import RANK, SIZE, rank_in_strata
from common.data.target import BINARY, REGRESSION, Target
from common.errors import UserError
from common.learning.early_checks import check_folds, check_labels
from common.learning.score_table import score_tables
from common.learning.tasks import Labels, guess_scores, scores
from common.learning.vectorizer import FEATURES, LABEL, WEIGHT

FOLD_RANK = "__fold_rank"
FOLD = "__fold"

# Up to this many rows a fit is fastest in one partition, since more tasks cost more than they save. The
# number of partitions depends only on the rows, because Spark's tree splits depend on it.
PARTITION_ROWS = 250_000
# Rows of so much weight on average count as one each: no parameter's bound on a leaf's weight is near.
HEAVY = 1e6


def assign_fold_rank(frame: DataFrame, label: str, seed: int, task: str = BINARY) -> DataFrame:
    """Add FOLD_RANK: the row's rank among the rows with its label, in the order of a hash.

    With k folds a row's fold is its rank % k, so for any k the folds are stratified by label to within
    one row. Of numbers, those in the same quantile count as one label.

    Args:
        frame: Training rows with their raw columns.
        label: Name of the label's column.
        seed: Seed of the hash; it determines which rows share a fold.
        task: What is predicted.
    """
    if task == REGRESSION:
        frame, label = with_quantile(frame, label), QUANTILE
    ranked = rank_in_strata(frame, [label], f"fold:{seed}")
    return ranked.withColumnRenamed(RANK, FOLD_RANK).drop(SIZE, QUANTILE)


@dataclass(frozen=True)
class FoldData:
    """Training rows for k folds: features, label, fold and any weight, cached and in a fixed order.

    Attributes:
        frame: The rows.
        folds: Number of folds, k.
        rows: Number of rows.
        target: What is predicted.
        guess: Scores of a baseline that knows only the labels of the rows, as means over the folds.
            Every fold has the same shares of labels, to within a row.
        of_label: What a row's weight is times its own, by its label; empty unless labels are balanced.
    """

    frame: DataFrame
    folds: int
    rows: int
    target: Target
    guess: Mapping[str, float]
    of_label: Sequence[float] = ()

    @property
    def is_weighted(self) -> bool:
        """Whether the rows have a weight, WEIGHT, that fits use; scores count each row once."""
        return WEIGHT in self.frame.columns

    @cached_property
    def effective_share(self) -> float:
        """How many rows of equal weight tell as much, as a share of the rows; 1 without weights.

        It is of the rows' own weights: what balance makes of those of a rare label is not their doing.

        Source: Kish's effective sample size, the square of the weights' sum by the sum of their squares.
        """
        if not self.is_weighted:
            return 1.0
        weight = F.col(WEIGHT) / _by_label(self.of_label) if self.of_label else F.col(WEIGHT)
        sums = self.frame.agg(F.sum(weight), F.sum(weight * weight)).first()
        total, squares = sums or (0.0, 0.0)
        # Of one that is 1e154 times the others, the square is no number.
        rows = total * total / squares if math.isfinite(squares) else 1.0
        return float(rows / self.rows)

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


def fold_data(
    train: DataFrame,
    folds: int,
    target: Target,
    keep: Sequence[str] = (),
    balance: bool = False,
) -> FoldData:
    """Prepare training rows for a search over k folds.

    Args:
        train: Training rows with FEATURES, LABEL and FOLD_RANK.
        folds: Number of folds, k; at least 2, and at most the number of rows with the rarer of two
            labels, or of all rows.
        target: What is predicted.
        keep: Names of other columns to keep.
        balance: Whether labels weigh the same in total, however many rows each has.

    Raises:
        UserError: `folds` is out of range, the rows do not come from featurize, or a label has too few
            rows to be learnt and scored.
    """
    if FOLD_RANK not in train.columns:
        raise UserError("the training rows have no folds: they must come from featurize")
    weights: list[Column] = []
    of_label: list[float] = []
    if WEIGHT in train.columns:
        train, weights = _in_unit(train), [F.col(WEIGHT)]
    if target.task == REGRESSION:
        if balance:
            raise UserError("balance=true weighs labels, and the task is regression: leave it out")
        rows = _count_numbers(train)
        check_folds(folds, target.task, rows, rows)
        guess = _guess_numbers(train, folds, target)
    else:
        counts, totals = _label_counts(train, target)
        rows, guess = int(counts.sum()), guess_scores(Labels(target.task, np.arange(len(counts)), counts))
        if balance:
            of_label = balanced(totals)
            weights = [reduce(Column.__mul__, weights, _by_label(of_label)).alias(WEIGHT)]
        check_folds(folds, target.task, rows, int(counts.min()))
    partitions = math.ceil(rows / PARTITION_ROWS)
    fold = (F.col(FOLD_RANK) % folds).cast("int").alias(FOLD)
    ordered = (
        train.select(FEATURES, LABEL, FOLD_RANK, fold, *weights, *[quoted(name) for name in keep])
        .repartition(partitions, FOLD_RANK, LABEL)
        .sortWithinPartitions(LABEL, FOLD_RANK)
        .drop(FOLD_RANK)
    )
    return FoldData(ordered.cache(), folds, rows, target, guess, of_label)


def _in_unit(train: DataFrame) -> DataFrame:
    """Return rows with weights in a unit in which their mean is about 1, or more within reason.

    XGBoost's `min_child_weight` is 1 unless it is given: weights that add up to 1 would permit no split.
    Above 1 they stay, so that a row of weight 2 is one that is there twice.
    """
    mean = (train.agg(F.avg(WEIGHT)).first() or (None,))[0]
    if not mean or 1 <= mean <= HEAVY:
        return train
    # A power of two, so that no digit is lost; the last ones of the mean depend on the order of a sum.
    unit = 2.0 ** round(math.log2(float(f"{mean:.12g}")))
    return train.withColumn(WEIGHT, F.col(WEIGHT) / unit)


def balanced(totals: np.ndarray) -> list[float]:
    """Return the weight of a row of each label that makes all labels weigh the same.

    Args:
        totals: What the rows of each label weigh in total; without weights, their number.
    """
    there = totals > 0
    each = np.divide(totals.sum(), there.sum() * totals, out=np.zeros(len(totals)), where=there)
    # The last digits of a sum depend on the order in which Spark's tasks end.
    return [float(f"{one:.12g}") for one in each]


def _by_label(each: Sequence[float]) -> Column:
    return F.get(F.array(*map(F.lit, each)), F.col(LABEL).cast("int"))


def weighted(estimator: Estimator, data: FoldData) -> Estimator:
    """Return an estimator that uses the rows' weights, if they have any."""
    if not data.is_weighted:
        return estimator
    return estimator.copy({estimator.getParam("weightCol"): WEIGHT})


def _label_counts(train: DataFrame, target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of rows of each label, and what they weigh in total."""
    weight = F.col(WEIGHT) if WEIGHT in train.columns else F.lit(1.0)
    counted = train.groupBy(LABEL).agg(F.count(F.lit(1)).alias("rows"), F.sum(weight).alias("weight"))
    found = {row[LABEL]: row for row in counted.collect()}
    none = {"rows": 0, "weight": 0.0}
    counts, totals = (
        np.array([found.get(float(place), none)[name] for place in range(target.classes)])
        for name in ("rows", "weight")
    )
    if np.count_nonzero(counts) < 2:
        raise UserError("the training rows have only one label: nothing can be learnt from them")
    check_labels(dict(zip(target.labels, counts.tolist(), strict=True)))
    if idle := [label for label, total in zip(target.labels, totals, strict=True) if not total]:
        raise UserError(
            f"all training rows of label {idle[0]!r} weigh 0, so nothing can be learnt of it: correct "
            "their weights, or give the column of weights the role ignored"
        )
    return counts, totals


def _count_numbers(train: DataFrame) -> int:
    weighs = F.col(WEIGHT) > 0 if WEIGHT in train.columns else F.lit(True)
    rows, least, most, weighing = train.agg(
        F.count(LABEL), F.min(LABEL), F.max(LABEL), F.count_if(weighs)
    ).first() or (0, 0.0, 0.0, 0)
    if least == most:
        raise UserError(
            f"the training rows have only one label, {least}: nothing can be learnt from them"
        )
    if not weighing:
        raise UserError(
            "all training rows weigh 0, so nothing can be learnt: give the column of weights the role "
            "ignored"
        )
    return int(rows)


def _guess_numbers(train: DataFrame, folds: int, target: Target) -> dict[str, float]:
    """Return the mean over the folds of the scores of guessing: in each, the mean of the other rows.

    Over all rows together an error of squares is that of the largest ones, and so it is in each fold that
    has them, but not in their mean, which is what a candidate has.
    """
    of_fold = (F.col(FOLD_RANK) % folds).cast("int")
    sums = train.groupBy(of_fold.alias(FOLD)).agg(F.sum(LABEL).alias("sum"), F.count(LABEL).alias("rows"))
    table = pd.DataFrame(sums.orderBy(FOLD).toPandas())
    others = (table["sum"].sum() - table["sum"]) / (table["rows"].sum() - table["rows"])
    said = F.get(F.array(*[F.lit(mean) for mean in others]), of_fold).alias("prediction")
    guessed = train.select(LABEL, of_fold.alias(FOLD), said)
    each = [scores(one) for one in score_tables(guessed, FOLD, target, int(table["rows"].sum()))]
    return {name: fmean(one[name] for one in each) for name in each[0]}
