"""What the members of a vote say of rows that they were not fitted on, and how every mix of them does."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
import pandas as pd
from pyspark import inheritable_thread_target
from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.ensemble.member import Member
from common.ensemble.pipeline import member_model, probability_column
from common.learning.metrics import EPSILON, ScoreTable, scores
from common.learning.score_table import probability_vector, score_table
from common.learning.vectorizer import LABEL
from common.search.engines.mllib import FITS_PER_CORE
from common.search.folds import FOLD, FoldData

# Of the log odds: a four-hundredth of a probability near a half, a hundredth of one near 0 or 1.
STEP = 0.01


def out_of_fold(
    members: Sequence[Member], data: FoldData, keep: Sequence[str] = ()
) -> tuple[DataFrame, float]:
    """Fit every member on the other folds of each fold, and have it predict that fold.

    Args:
        members: of the vote, k of them.
        data: training rows in folds.
        keep: columns of the rows that are kept beside.

    Returns:
        A cached frame of label, fold, the columns to keep, and k probabilities of the positive label,
        `0` to `k-1`; and the seconds of all fits.
    """
    spark = data.frame.sparkSession
    work = [(member, fold) for fold in range(data.folds) for member in members]

    def fit(task: tuple[Member, int]) -> tuple[Model, float]:
        member, fold = task
        started = time.perf_counter()
        model = member.learner.estimator(member.parameters, member.seed).fit(data.train(fold))
        return model, time.perf_counter() - started

    with ThreadPoolExecutor(FITS_PER_CORE * spark.sparkContext.defaultParallelism) as pool:
        fits = list(pool.map(inheritable_thread_target(spark)(fit), work))
    models = [model for model, _ in fits]
    k = len(members)
    folds = [
        _predict(models[fold * k : (fold + 1) * k], data.validation(fold), keep)
        for fold in range(data.folds)
    ]
    return reduce(DataFrame.union, folds).cache(), sum(seconds for _, seconds in fits)


def _predict(models: Sequence[Model], rows: DataFrame, keep: Sequence[str]) -> DataFrame:
    for place, model in enumerate(models):
        rows = member_model(model, place).transform(rows)
    said = [
        vector_to_array(F.col(probability_column(place)))[1].alias(str(place))
        for place in range(len(models))
    ]
    return rows.select(LABEL, FOLD, *[quoted(name) for name in keep], *said)


def mix_scores(predictions: DataFrame, mixes: np.ndarray, folds: int, metric: str) -> np.ndarray:
    """Return what every mix scores on every fold, counted in one Spark job.

    Probabilities are counted in steps of STEP of their log odds, so that the table is small: the areas
    under curves hold to about a thousandth of what they differ by, all else is exact.

    Args:
        predictions: of `out_of_fold`.
        mixes: a row a mix, a column a member.
        folds: how many there are.
        metric: one of METRICS.

    Returns:
        A row a fold, a column a mix.
    """
    names = [str(place) for place in range(mixes.shape[1])]

    def count(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            for (fold, label), rows in frame.groupby([FOLD, LABEL]):
                counted = _count_mixes(rows[names].to_numpy() @ mixes.T, float(label))
                yield counted.assign(fold=fold, label=label)

    kinds = "mix long, prediction long, step long, count long, loss double, fold long, label double"
    counted = (
        predictions.select(FOLD, LABEL, *names)
        .mapInPandas(count, kinds)
        .groupBy("fold", "mix", "label", "prediction", "step")
        .agg(F.sum("count").alias("count"), F.sum("loss").alias("loss"))
    )
    found = np.zeros((folds, len(mixes)))
    for (fold, mix), rows in pd.DataFrame(counted.toPandas()).groupby(["fold", "mix"]):
        columns = (rows[name].to_numpy() for name in ("label", "prediction", "step", "count", "loss"))
        label, prediction, step, number, loss = columns
        probability = 1 / (1 + np.exp(-STEP * step))
        found[fold, mix] = scores(ScoreTable(label, prediction, probability, number, loss))[metric]
    return found


def _count_mixes(positive: np.ndarray, label: float) -> pd.DataFrame:
    """Count the rows of one label by mix, prediction and step of the log odds.

    Args:
        positive: probability of the positive label, a row a row, a column a mix.
        label: 0 or 1.
    """
    within = np.clip(positive, EPSILON, 1 - EPSILON)
    step = np.rint(np.log(within / (1 - within)) / STEP)
    true = np.maximum(positive if label else 1 - positive, EPSILON)
    table = pd.DataFrame(
        {
            "mix": np.tile(np.arange(positive.shape[1]), len(positive)),
            "prediction": (positive > 0.5).astype(int).ravel(),
            "step": step.astype(int).ravel(),
            "loss": -np.log(true).ravel(),
        }
    )
    by = table.groupby(["mix", "prediction", "step"])["loss"]
    return by.agg(count="size", loss="sum").reset_index()


def vote_scores(predictions: DataFrame, fold: int, mix: np.ndarray, rows: int) -> dict[str, float]:
    """Return all of METRICS of a mix on one fold.

    Args:
        predictions: of `out_of_fold`.
        fold: whose rows are scored.
        mix: a weight a member.
        rows: how many there are in all folds.
    """
    positive = mixed(mix)
    voted = predictions.where(F.col(FOLD) == fold).select(
        LABEL,
        (positive > 0.5).cast("double").alias("prediction"),
        probability_vector(positive),
    )
    return scores(score_table(voted, rows))


def mixed(weights: Sequence[float] | np.ndarray) -> Column:
    """Return the probability that members say together, of the columns of `out_of_fold`."""
    return reduce(
        lambda total, part: total + part,
        [F.col(str(place)) * float(weight) for place, weight in enumerate(weights)],
    )
