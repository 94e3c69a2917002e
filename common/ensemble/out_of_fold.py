"""Out-of-fold predictions of the members of a vote, and the scores of every mix of the members."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
import pandas as pd
from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.target import TWO
from common.ensemble.member import Member
from common.ensemble.pipeline import member_model, probability_column
from common.learning.metrics import EPSILON, ScoreTable
from common.learning.score_table import probability_vector, score_table
from common.learning.tasks import scores
from common.learning.vectorizer import LABEL
from common.machine.threads import inheriting
from common.search.engines.mllib import FITS_PER_CORE
from common.search.folds import FOLD, FoldData, weighted

# Bin width in log odds: 1/400 in probability near 0.5, and 1% of the probability near 0 or 1.
STEP = 0.01


def out_of_fold(
    members: Sequence[Member], data: FoldData, keep: Sequence[str] = ()
) -> tuple[DataFrame, float]:
    """Predict each fold by every member, fitted on the other folds.

    Args:
        members: The k members of the vote.
        data: The training rows in folds.
        keep: Further columns of the rows to keep.

    Returns:
        A cached frame with the label, the fold, the columns to keep and the k probabilities of the
        positive label, in columns `0` to `k-1`; and the total time of all fits, in seconds.
    """
    spark = data.frame.sparkSession
    work = [(member, fold) for fold in range(data.folds) for member in members]

    def fit(task: tuple[Member, int]) -> tuple[Model, float]:
        member, fold = task
        started = time.perf_counter()
        estimator = member.learner.fitting(data.target.task).estimator(member.parameters, member.seed)
        model = weighted(estimator, data).fit(data.train(fold))
        return model, time.perf_counter() - started

    with ThreadPoolExecutor(FITS_PER_CORE * spark.sparkContext.defaultParallelism) as pool:
        fits = [fitted.result() for fitted in [pool.submit(inheriting(spark, fit, one)) for one in work]]
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
    """Score every mix on every fold in one Spark job.

    Probabilities are binned in steps of STEP in their log odds, to keep the table small. The areas under
    curves are then accurate to about a thousandth of the differences between mixes; all other metrics
    are exact.

    Args:
        predictions: The frame from `out_of_fold`.
        mixes: Weights of shape (mixes, members).
        folds: Number of folds.
        metric: One of METRICS.

    Returns:
        Scores of shape (folds, mixes).
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
    """Count the rows of one label by mix, prediction and bin of the log odds, with their summed log loss.

    Args:
        positive: Probabilities of the positive label, of shape (rows, mixes).
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
    """Return all METRICS of a mix on one fold.

    Args:
        predictions: The frame from `out_of_fold`.
        fold: The fold to score.
        mix: One weight per member.
        rows: Number of rows in all folds.
    """
    positive = mixed(mix)
    voted = predictions.where(F.col(FOLD) == fold).select(
        LABEL,
        (positive > 0.5).cast("double").alias("prediction"),
        probability_vector(positive),
    )
    return scores(score_table(voted, TWO, rows))


def mixed(weights: Sequence[float] | np.ndarray) -> Column:
    """Return the weighted mean of the members' probabilities in the frame from `out_of_fold`.

    Args:
        weights: One weight per member; they sum to 1.
    """
    return reduce(
        lambda total, part: total + part,
        [F.col(str(place)) * float(weight) for place, weight in enumerate(weights)],
    )
