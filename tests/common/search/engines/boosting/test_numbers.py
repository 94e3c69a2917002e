"""Boosted trees of a number: the engine's scores against those of Spark's GBTRegressor."""

import numpy as np
import pytest
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T

from common.data.target import REGRESSION, Target
from common.learning.boosting_rule import Fit
from common.learning.learners import get_learner
from common.learning.number_metrics import NUMBER_METRICS
from common.learning.vectorizer import FEATURES, LABEL
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.fit import _fit, _sides
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD_RANK, fold_data
from common.search.grid import grid_candidates
from common.search.result import CandidateFailure

GBT = get_learner("gbt")
NUMBER = Target(REGRESSION)
# Small leaves would have ties: splits of two features that part the rows alike.
ROWS, LEAF = 6000, 40
GRID = {"maxDepth": [0, 1, 3, 5], "maxIter": [2, 5], "stepSize": [0.3], "minInstancesPerNode": [LEAF]}

# The same rows as numbers of many sizes: house prices, temperatures, losses, small rates, seconds since
# 1970 within an hour, and numbers of physics.
NUMBERS = {
    "house prices": lambda z: 300_000 + 100_000 * z,
    "around zero": lambda z: z,
    "negative": lambda z: -5_000 - 700 * z,
    "whole numbers": lambda z: np.floor(z * 3),
    "rates": lambda z: 1e-4 * z,
    "seconds": lambda z: 1.7e9 + 1000 * z,
    "huge": lambda z: 1e25 * z,
    "one far away": lambda z: np.where(np.arange(len(z)) == 17, 1e4, z),
}


def data_of(spark, make, rows=ROWS):
    generator = np.random.default_rng(5)
    a, b, kind = (
        generator.normal(size=rows),
        generator.exponential(size=rows),
        generator.integers(0, 3, rows),
    )
    z = a + b * (kind == 1) + np.sin(3 * a) + generator.normal(size=rows) / 3
    numbers = make((z - z.mean()) / z.std())
    found = [
        (Vectors.sparse(5, {0: x, 1: y, 2 + int(k): 1.0}), float(number), i)
        for i, (x, y, k, number) in enumerate(
            zip(a.tolist(), b.tolist(), kind, numbers.tolist(), strict=True)
        )
    ]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long")
    return fold_data(spark.createDataFrame(found, schema), 2, NUMBER)


def assert_alike(found, expected, name):
    """Errors agree to a millionth of that of guessing, or of their own; r2 has no unit."""
    assert tuple(found) == NUMBER_METRICS
    unit = expected["rmse"] / min(np.sqrt(1 - expected["r2"]), 1)
    for metric in NUMBER_METRICS:
        apart = 2e-6 * max(1, abs(expected["r2"])) if metric == "r2" else 1e-6 * unit
        assert found[metric] == pytest.approx(expected[metric], abs=apart), (name, metric)


def by_name(outcomes):
    found = {outcome.name: outcome for outcome in outcomes}
    assert not [outcome for outcome in found.values() if isinstance(outcome, CandidateFailure)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", NUMBERS)
def test_scores_are_those_of_sparks_own_trees(spark, kind):
    """Causes of difference: sums in another order, and margins in single precision."""
    data = data_of(spark, NUMBERS[kind])
    # A third tree is fitted to what two have left, at any scale.
    few = {} if kind == "house prices" else {"maxDepth": [3], "maxIter": [2, 3]}
    candidates = grid_candidates({**GRID, **few}, GBT)
    ours = by_name(BoostingEngine(data, GBT, seed=7).evaluate(candidates))
    sparks = by_name(MllibEngine(data, GBT, seed=7).evaluate(candidates))
    assert ours.keys() == sparks.keys()
    for name, result in ours.items():
        for found, expected in zip(result.folds, sparks[name].folds, strict=True):
            assert_alike(found, expected, name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["house prices", "seconds"])
@pytest.mark.parametrize("depth", [0, 5])
def test_each_rows_margin_is_sparks_prediction(spark, kind, depth):
    data = data_of(spark, NUMBERS[kind])
    engine = BoostingEngine(data, GBT, seed=7)
    parameters = {"maxDepth": depth, "maxIter": 5, "stepSize": 0.2, "minInstancesPerNode": LEAF}
    rule = engine.rule(parameters)
    engine._send_samples([rule])
    samples = {size: sent.value for size, sent in engine.sent_samples.items()}
    fit = Fit(0, 1, rule, (5, 2), 7, NUMBER)
    margins, _, _ = _fit(fit, _sides(fit, engine.sent_matrix.value, samples))
    expected = GBT.fitting(REGRESSION).estimator(parameters, 7).fit(data.train(1))
    rows = expected.transform(data.validation(1)).select("prediction").toPandas()["prediction"].to_numpy()
    spread = engine.sent_matrix.value.label.std()
    assert np.abs(margins[0] - rows).max() < 2e-6 * spread
    assert len(margins) == 2
    assert np.abs(margins[1] - rows).max() > 1e-3 * spread or depth == 0


@pytest.mark.slow
def test_thresholds_are_those_that_spark_draws_from_many_rows(spark):
    data = data_of(spark, NUMBERS["house prices"], 15_000)
    candidates = [{"maxDepth": 3, "maxIter": 3, "stepSize": 0.3, "maxBins": 8}]
    (ours,) = BoostingEngine(data, GBT, seed=7).evaluate(candidates)
    (sparks,) = MllibEngine(data, GBT, seed=7).evaluate(candidates)
    for found, expected in zip(ours.folds, sparks.folds, strict=True):
        assert_alike(found, expected, "many rows")


def test_all_numbers_but_one_that_is_far_away_are_learnt(spark):
    """A sentinel among the numbers to predict, such as 9999999, is as far from the others as that."""
    data = data_of(spark, lambda z: np.where(np.arange(len(z)) == 17, 1e6, z), 300)
    candidates = [{"maxDepth": 3, "maxIter": 1}]
    (ours,) = BoostingEngine(data, GBT, seed=7).evaluate(candidates)
    (sparks,) = MllibEngine(data, GBT, seed=7).evaluate(candidates)
    for found, expected in zip(ours.folds, sparks.folds, strict=True):
        assert found["median_absolute_error"] == pytest.approx(
            expected["median_absolute_error"], rel=1e-5
        )
