"""Spark's own estimators of several labels and of numbers: scores against Spark's evaluators."""

import numpy as np
import pytest
from pyspark.ml.evaluation import MulticlassClassificationEvaluator, RegressionEvaluator
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T

from common.data.target import MULTICLASS, REGRESSION, Target
from common.learning.learners import get_learner
from common.learning.tasks import TASKS
from common.learning.vectorizer import FEATURES, LABEL
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD, FOLD_RANK, fold_data

FOLDS = 2
THREE, NUMBER = Target(MULTICLASS, ("a", "b", "c")), Target(REGRESSION)
LABELS = {"accuracy": "accuracy", "f1_weighted": "f1", "log_loss": "logLoss"}
NUMBERS = {"rmse": "rmse", "mae": "mae", "r2": "r2"}
CANDIDATES = {
    "random_forest": {"numTrees": 3, "maxDepth": 3},
    "logistic_regression": {"maxIter": 8, "regParam": 0.01},
    "linear_regression": {"maxIter": 8, "regParam": 0.01, "elasticNetParam": 0.5},
    "gbt": {"maxIter": 3, "maxDepth": 2},
}


def data_of(spark, target):
    generator = np.random.default_rng(4)
    values = generator.normal(size=(400, 3))
    signal = values[:, 0] + values[:, 1] * values[:, 2] + generator.normal(size=400) / 4
    # The first label is rare, and there are several numbers alike.
    label = np.digitize(signal, [-1.5, 0.5]) if target == THREE else np.round(3e5 + 1e5 * signal, -4)
    rows = [
        (Vectors.dense(row), float(y), i)
        for i, (row, y) in enumerate(zip(values.tolist(), label.tolist(), strict=True))
    ]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long")
    return fold_data(spark.createDataFrame(rows, schema), FOLDS, target)


@pytest.fixture(scope="module")
def by_target(spark):
    return {target: data_of(spark, target) for target in (THREE, NUMBER)}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("random_forest", THREE),
        ("logistic_regression", THREE),
        ("random_forest", NUMBER),
        ("linear_regression", NUMBER),
        ("gbt", NUMBER),
    ],
)
def test_scores_are_those_of_sparks_evaluators(by_target, name, target):
    data, learner = by_target[target], get_learner(name)
    (result,) = MllibEngine(data, learner, seed=7).evaluate([CANDIDATES[name]])
    for fold, ours in enumerate(result.folds):
        assert tuple(ours) == TASKS[target.task].metrics
        estimator = learner.fitting(target.task).estimator(CANDIDATES[name], 7)
        said = estimator.fit(data.train(fold)).transform(data.validation(fold)).cache()
        for metric, theirs in (LABELS if target == THREE else NUMBERS).items():
            kind = MulticlassClassificationEvaluator if target == THREE else RegressionEvaluator
            expected = kind(labelCol=LABEL, metricName=theirs).evaluate(said)
            assert ours[metric] == pytest.approx(expected, rel=1e-9), metric
        said.unpersist()
    metric, way = ("accuracy", 1) if target == THREE else ("rmse", -1)
    assert way * result.mean(metric) > way * data.guess[metric]


def test_fewer_trees_of_numbers_are_read_off_the_fit_of_more(by_target):
    engine = MllibEngine(by_target[NUMBER], get_learner("gbt"), seed=7)
    few, many = CANDIDATES["gbt"], {**CANDIDATES["gbt"], "maxIter": 6}
    shared = {outcome.name: outcome for outcome in engine.evaluate([few, many])}
    (alone,) = engine.evaluate([few])
    assert shared[alone.name].folds == alone.folds
    assert len({outcome.folds[0]["rmse"] for outcome in shared.values()}) == 2


def test_guess_of_numbers_is_their_mean_and_of_labels_the_most_frequent(by_target):
    rows = by_target[NUMBER].frame.select(LABEL, FOLD).toPandas()
    guess = by_target[NUMBER].guess
    errors = [
        numbers - rows.loc[rows[FOLD] != fold, LABEL].mean()
        for fold, numbers in rows.groupby(FOLD)[LABEL]
    ]
    assert guess["rmse"] == pytest.approx(np.mean([(one**2).mean() ** 0.5 for one in errors]))
    assert guess["mae"] == pytest.approx(np.mean([one.abs().mean() for one in errors]))
    # The mean of other rows is a little worse than that of the fold's own.
    assert -0.02 < guess["r2"] < 0
    assert guess["median_absolute_error"] == pytest.approx(
        np.mean([one.abs().median() for one in errors])
    )
    labels = by_target[THREE].frame.toPandas()[LABEL].value_counts(normalize=True)
    assert by_target[THREE].guess["accuracy"] == pytest.approx(labels.max())
    assert by_target[THREE].guess["log_loss"] == pytest.approx(-(labels * np.log(labels)).sum())
