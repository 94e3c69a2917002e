"""Rows with weights: the engine's scores against those of Spark's own trees, and of repeated rows."""

import numpy as np
import pytest
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.target import BINARY, MULTICLASS, REGRESSION, Target
from common.errors import UserError
from common.learning.learners import get_learner
from common.learning.vectorizer import FEATURES, LABEL, WEIGHT
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.rows import arrow_columns, fold_matrix
from common.search.engines.choice import choose_engine
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD_RANK, fold_data
from common.search.grid import grid_candidates

GBT = get_learner("gbt")
TWO, THREE = Target(BINARY, ("no", "yes")), Target(MULTICLASS, ("a", "b", "c"))
TARGETS = {BINARY: TWO, REGRESSION: Target(REGRESSION)}


def rows_of(spark, task, rows=4000):
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=rows), generator.exponential(size=rows)
    z = x + y * (x > 0) + generator.normal(size=rows) / 3
    label = {BINARY: (z > 1).astype(float), REGRESSION: z, MULTICLASS: np.digitize(z, [-1, 1.5])}[task]
    weight = generator.choice([0.5, 1.0, 2.0, 5.0], size=rows) * np.where(z > 0, 3, 1)
    found = [
        (Vectors.dense(a, b), float(c), i, float(w))
        for i, (a, b, c, w) in enumerate(
            zip(x.tolist(), y.tolist(), label.tolist(), weight.tolist(), strict=True)
        )
    ]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long").add(WEIGHT, "double")
    return spark.createDataFrame(found, schema)


@pytest.mark.slow
@pytest.mark.parametrize("task", TARGETS)
def test_weighted_scores_are_those_of_sparks_own_trees(spark, task):
    data = fold_data(rows_of(spark, task), 2, TARGETS[task])
    candidates = grid_candidates({"maxDepth": [1, 3], "maxIter": [4], "maxBins": [16]}, GBT)
    ours = {one.name: one for one in BoostingEngine(data, GBT, seed=7).evaluate(candidates)}
    metric = "log_loss" if task == BINARY else "rmse"
    for theirs in MllibEngine(data, GBT, seed=7).evaluate(candidates):
        found = [fold[metric] for fold in ours[theirs.name].folds]
        assert found == pytest.approx([fold[metric] for fold in theirs.folds], abs=1e-6)


@pytest.mark.parametrize("total", [1, 600])
@pytest.mark.parametrize("task", TARGETS)
def test_scores_of_weights_that_add_up_to_one_are_those_of_sparks_own_trees(spark, task, total):
    """Many of 600 that add up to 600 weigh less than 1, too."""
    rows = rows_of(spark, task, 600).withColumn(WEIGHT, F.col(WEIGHT) * F.exp(F.randn(1)))
    (whole,) = rows.agg(F.sum(WEIGHT)).first()
    data = fold_data(rows.withColumn(WEIGHT, F.col(WEIGHT) * total / whole), 2, TARGETS[task])
    candidates = [{"maxDepth": 5, "maxIter": 4, "maxBins": 16}]
    metric = "log_loss" if task == BINARY else "rmse"
    ours, theirs = (
        engine(data, GBT, seed=7).evaluate(candidates) for engine in (BoostingEngine, MllibEngine)
    )
    found, expected = ([fold[metric] for fold in each[0].folds] for each in map(list, (ours, theirs)))
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("unit", [2.0**-30, 2.0**40])
def test_xgboost_learns_from_weights_in_any_unit(spark, unit):
    """Its least weight of a leaf is 1 unless it is given."""
    rows, learner = rows_of(spark, BINARY, 600), get_learner("xgboost")
    (mean,) = rows.agg(F.avg(WEIGHT)).first()
    found = []
    for factor in (2.0 ** -np.round(np.log2(mean)), unit):
        data = fold_data(rows.withColumn(WEIGHT, F.col(WEIGHT) * factor), 2, TWO)
        (one,) = BoostingEngine(data, learner, 7).evaluate([{"max_depth": 2, "n_estimators": 3}])
        found.append(one.mean("log_loss"))
    assert found[0] == found[1] < 0.5


@pytest.mark.parametrize(("mean", "kept"), [(0.99, 0.99), (1.01, 1.01), (3, 3), (0.25, 1), (3e6, 0.715)])
def test_weights_stay_as_they_are_unless_their_mean_is_far_below_1_or_beyond_reason(spark, mean, kept):
    rows = rows_of(spark, BINARY, 60).withColumn(WEIGHT, F.lit(float(mean)))
    found = fold_data(rows, 2, TWO).frame.select(WEIGHT).distinct().collect()
    assert [row[WEIGHT] for row in found] == [pytest.approx(kept, rel=1e-3)]


@pytest.mark.parametrize(("heavy", "share"), [(1, 1), (1e6, 1 / 60), (1e300, 1 / 60)])
def test_weights_are_worth_few_rows_if_one_outweighs_all(spark, heavy, share):
    weight = F.when(F.col(FOLD_RANK) == 7, heavy).otherwise(1.0)
    data = fold_data(rows_of(spark, BINARY, 60).withColumn(WEIGHT, weight), 2, TWO)
    assert data.effective_share == pytest.approx(share, rel=1e-3)
    candidate = [{"max_depth": 2, "n_estimators": 3}]
    (found,) = BoostingEngine(data, get_learner("xgboost"), 7).evaluate(candidate)
    # XGBoost refuses a share of a label that is 0 or 1 as numbers go, with a trace.
    assert "\n" not in getattr(found, "error", "")


def test_rows_that_weigh_alike_are_worth_all_rows_however_rare_a_balanced_label_is(spark):
    """The weights of a column were told to be unequal, and it was balance=true that made them so."""
    rows = rows_of(spark, BINARY, 600).withColumn(LABEL, (F.col(FOLD_RANK) < 6).cast("double"))
    weighed = [F.lit(1.0), F.when(F.col(FOLD_RANK) % 2 == 0, 3.0).otherwise(1.0)]
    found = [
        fold_data(rows.withColumn(WEIGHT, weight), 2, TWO, balance=True).effective_share
        for weight in weighed
    ]
    assert found == [pytest.approx(1), pytest.approx(2**2 / 5)]


def test_weights_change_the_scores(spark):
    rows = rows_of(spark, BINARY, 600)
    candidate = [{"maxDepth": 2, "maxIter": 3}]
    (weighted,) = BoostingEngine(fold_data(rows, 2, TWO), GBT, seed=7).evaluate(candidate)
    (plain,) = BoostingEngine(fold_data(rows.drop(WEIGHT), 2, TWO), GBT, seed=7).evaluate(candidate)
    assert abs(weighted.mean("log_loss") - plain.mean("log_loss")) > 1e-3


@pytest.mark.parametrize(("task", "target"), [(BINARY, TWO), (MULTICLASS, THREE)])
def test_balanced_labels_weigh_the_same_in_total(spark, task, target):
    rows = rows_of(spark, task, 300).drop(WEIGHT)
    frame = fold_data(rows, 2, target, balance=True).frame.toPandas()
    totals = frame.groupby(LABEL)[WEIGHT].sum()
    assert len(totals) == target.classes
    assert totals.to_numpy() == pytest.approx(300 / target.classes)


def test_balance_multiplies_the_rows_own_weight(spark):
    rows = rows_of(spark, BINARY, 300)
    own = fold_data(rows, 2, TWO).frame.toPandas()[WEIGHT]
    balanced = fold_data(rows, 2, TWO, balance=True).frame.toPandas()
    assert (balanced[WEIGHT] / own).groupby(balanced[LABEL]).nunique(dropna=False).max() <= 2
    assert (balanced[WEIGHT] / own).round(9).nunique() == 2


@pytest.mark.parametrize(("task", "target"), [(BINARY, TWO), (MULTICLASS, THREE)])
def test_balanced_labels_of_weighted_rows_weigh_the_same_in_total(spark, task, target):
    rows = rows_of(spark, task, 300)
    own = fold_data(rows, 2, target).frame.toPandas()
    totals = own.groupby(LABEL)[WEIGHT].sum()
    assert totals.max() > 1.05 * totals.min()
    frame = fold_data(rows, 2, target, balance=True).frame.toPandas()
    balanced = frame.groupby(LABEL)[WEIGHT].sum().to_numpy()
    assert balanced == pytest.approx(totals.sum() / target.classes)


@pytest.mark.parametrize(
    ("task", "target", "idle", "message"),
    [
        (
            BINARY,
            TWO,
            [1],
            "all training rows of label 'yes' weigh 0, so nothing can be learnt of it: correct",
        ),
        (
            MULTICLASS,
            THREE,
            [0, 1, 2],
            "all training rows of label 'a' weigh 0, so nothing can be learnt",
        ),
        (
            REGRESSION,
            TARGETS[REGRESSION],
            None,
            "all training rows weigh 0, so nothing can be learnt: give",
        ),
    ],
)
def test_labels_whose_rows_all_weigh_nothing_are_refused(spark, task, target, idle, message):
    rows = rows_of(spark, task, 300)
    weighs = ~F.col(LABEL).isin(idle) if idle else F.lit(False)
    with pytest.raises(UserError, match=message):
        fold_data(rows.withColumn(WEIGHT, F.col(WEIGHT) * weighs.cast("double")), 2, target)


def test_balance_of_a_number_is_refused(spark):
    with pytest.raises(UserError, match="balance=true weighs labels, and the task is regression"):
        fold_data(rows_of(spark, REGRESSION, 50), 2, TARGETS[REGRESSION], balance=True)


def test_parameter_that_counts_rows_is_left_to_sparks_engine(spark):
    rows = rows_of(spark, BINARY, 300)
    names = ["maxDepth", "minInstancesPerNode"]
    assert choose_engine(GBT, "auto", names, fold_data(rows, 2, TWO)).engine == "mllib"
    assert choose_engine(GBT, "auto", names, fold_data(rows.drop(WEIGHT), 2, TWO)).engine == "boosting"
    with pytest.raises(UserError, match="does not support minInstancesPerNode of rows with weights"):
        choose_engine(GBT, "boosting", names, fold_data(rows, 2, TWO))


def test_weights_reach_the_matrix_in_the_order_of_its_rows(spark):
    data = fold_data(rows_of(spark, BINARY, 300), 2, TWO)
    engine = BoostingEngine(data, GBT, seed=7)
    matrix, _ = fold_matrix([arrow_columns(engine.numbered).toArrow()])
    there = data.frame.toPandas()
    first = there[FEATURES].map(lambda vector: vector[0])
    by_value = dict(zip(first, there[WEIGHT], strict=True))
    assert matrix.weight.tolist() == [by_value[value] for value in matrix.numbers[:, 0]]
