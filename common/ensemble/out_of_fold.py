"""What the members of a vote say of rows that they were not fitted on, and how every mix of them does."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
import pandas as pd
from pyspark import inheritable_thread_target
from pyspark.ml import Model
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.ensemble.members import Member
from common.ensemble.pipeline import member_model, probability_column
from common.metrics import ScoreTable, scores
from common.score_table import score_table
from common.search.folds import FOLD, FoldData
from common.search.mllib import FITS_PER_CORE
from common.vectorizer import LABEL


def out_of_fold(members: Sequence[Member], data: FoldData) -> tuple[DataFrame, float]:
    """Fit every member on the other folds of each fold, and have it predict that fold.

    Args:
        members: of the vote, k of them.
        data: training rows in folds.

    Returns:
        A cached frame of label, fold and k probabilities of the positive label, `0` to `k-1`; and the
        seconds of all fits.
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
        _predict(models[fold * k : (fold + 1) * k], data.validation(fold)) for fold in range(data.folds)
    ]
    return reduce(DataFrame.union, folds).cache(), sum(seconds for _, seconds in fits)


def _predict(models: Sequence[Model], rows: DataFrame) -> DataFrame:
    for place, model in enumerate(models):
        rows = member_model(model, place).transform(rows)
    said = [
        vector_to_array(F.col(probability_column(place)))[1].alias(str(place))
        for place in range(len(models))
    ]
    return rows.select(LABEL, FOLD, *said)


def mix_f1(predictions: DataFrame, mixes: np.ndarray, folds: int) -> np.ndarray:
    """Return the weighted F1 of every mix on every fold, counted in one Spark job.

    Args:
        predictions: of `out_of_fold`.
        mixes: a row a mix, a column a member.
        folds: how many there are.

    Returns:
        A row a fold, a column a mix.
    """
    names = [str(place) for place in range(mixes.shape[1])]

    def count(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            for (fold, label), rows in frame.groupby([FOLD, LABEL]):
                positive = (rows[names].to_numpy() @ mixes.T > 0.5).sum(axis=0)
                yield pd.DataFrame(
                    {
                        "fold": fold,
                        "label": label,
                        "mix": np.arange(len(mixes)),
                        "positive": positive,
                        "negative": len(rows) - positive,
                    }
                )

    kinds = "fold long, label double, mix long, positive long, negative long"
    counted = (
        predictions.select(FOLD, LABEL, *names)
        .mapInPandas(count, kinds)
        .groupBy("fold", "label", "mix")
        .agg(F.sum("positive").alias("positive"), F.sum("negative").alias("negative"))
    )
    found = np.zeros((folds, len(mixes)))
    for (fold, mix), rows in pd.DataFrame(counted.toPandas()).groupby(["fold", "mix"]):
        found[fold, mix] = _f1(rows)
    return found


def _f1(rows: pd.DataFrame) -> float:
    """Return the weighted F1 of the counts of one mix on one fold, a row a label."""
    label = np.tile(rows["label"].to_numpy(), 2)
    prediction = np.repeat([1.0, 0.0], len(rows))
    count = rows[["positive", "negative"]].to_numpy().T.reshape(-1)
    # F1 asks for no probabilities.
    table = ScoreTable(label, prediction, prediction, count, np.zeros(len(count)))
    return scores(table)["f1"]


def vote_scores(predictions: DataFrame, fold: int, mix: np.ndarray, rows: int) -> dict[str, float]:
    """Return all of METRICS of a mix on one fold.

    Args:
        predictions: of `out_of_fold`.
        fold: whose rows are scored.
        mix: a weight a member.
        rows: how many there are in all folds.
    """
    positive = reduce(
        lambda total, part: total + part,
        [F.col(str(place)) * float(weight) for place, weight in enumerate(mix)],
    )
    voted = predictions.where(F.col(FOLD) == fold).select(
        LABEL,
        (positive > 0.5).cast("double").alias("prediction"),
        array_to_vector(F.array(1 - positive, positive)).alias("probability"),
    )
    return scores(score_table(voted, rows))
