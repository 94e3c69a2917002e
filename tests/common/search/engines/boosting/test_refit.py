"""Refits by the boosting engine: Spark's own models, with the trees that Spark itself would grow."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.classification import GBTClassificationModel
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.ml.regression import GBTRegressionModel
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.target import BINARY, REGRESSION, TWO, Target
from common.learning.learners import get_learner, race
from common.learning.vectorizer import FEATURES, LABEL, WEIGHT, fit_vectorizer, vectorize
from common.machine.spark_settings import file_uri
from common.scoring.export import export
from common.search.engines.boosting.agreement import RefitError
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.margins import compared as compared_table
from common.search.engines.mllib import MllibEngine
from common.search.engines.race import RaceEngine
from common.search.folds import FOLD_RANK, assign_fold_rank, fold_data
from common.search.refit import refit_winner
from common.search.winner import scoring_pipeline

GBT, XGBOOST, LOGISTIC = (get_learner(name) for name in ("gbt", "xgboost", "logistic_regression"))
TARGETS = {BINARY: TWO, REGRESSION: Target(REGRESSION)}
# Small leaves would have ties: splits of two features that part the rows alike.
PARAMETERS = {"maxDepth": 3, "maxIter": 4, "stepSize": 0.3, "minInstancesPerNode": 40}
WEIGHTED = {name: value for name, value in PARAMETERS.items() if name != "minInstancesPerNode"}


def rows_of(spark, task, rows=3000, seed=5, weighted=False):
    """Two numbers, and indicators of 1, 4 and -3, of which each row has one."""
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=rows), generator.exponential(size=rows)
    kind = generator.integers(0, 3, rows)
    z = a + b * (kind == 1) + (kind == 2) + np.sin(3 * a) + generator.normal(size=rows) / 3
    # House prices: far from zero beside their spread.
    label = (z > 1).astype(float) if task == BINARY else 300_000 + 10_000 * z
    weight = generator.choice([0.5, 1.0, 2.0, 5.0], size=rows)
    found = [
        (Vectors.sparse(5, {0: x, 1: y, 2 + k: (1.0, 4.0, -3.0)[k]}), number, i, w)
        for i, (x, y, k, number, w) in enumerate(
            zip(*(one.tolist() for one in (a, b, kind, label, weight)), strict=True)
        )
    ]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long").add(WEIGHT, "double")
    frame = spark.createDataFrame(found, schema)
    return frame if weighted else frame.drop(WEIGHT)


def refit_of(spark, task, parameters, weighted=False, rows=3000):
    data = fold_data(rows_of(spark, task, rows, weighted=weighted), 2, TARGETS[task])
    return data, refit_winner(parameters, GBT, data, 7, BoostingEngine(data, GBT, seed=7))


@pytest.fixture(scope="module", params=TARGETS)
def both(spark, request):
    """The task, the rows, the engine's refit and Spark's own."""
    data, by_engine = refit_of(spark, request.param, PARAMETERS)
    return request.param, data, by_engine, refit_winner(PARAMETERS, GBT, data, 7)


def nodes(model):
    """All nodes of all trees: the split, the number of rows, and the other numbers."""

    def below(node, tree):
        stats = node.impurityStats()
        numbers = [node.prediction(), node.impurity(), *stats.stats()]
        if node.subtreeDepth() == 0:
            yield (tree, None, None, stats.rawCount()), numbers
            return
        split = node.split()
        where = (tree, split.featureIndex(), split.threshold(), stats.rawCount())
        yield where, [*numbers, node.gain()]
        yield from below(node.leftChild(), tree)
        yield from below(node.rightChild(), tree)

    for number, tree in enumerate(model._java_obj.trees()):
        yield from below(tree.rootNode(), number)


def assert_same_trees(found, expected):
    found, expected = list(nodes(found)), list(nodes(expected))
    assert [where for where, _ in found] == [where for where, _ in expected]
    assert len({feature for (_, feature, *_), _ in found}) >= 5
    for (where, ours), (_, theirs) in zip(found, expected, strict=True):
        # A leaf has XGBoost's single precision, which later trees are fitted to.
        for one, other in zip(ours, theirs, strict=True):
            # Spark's mark of the impurity of a leaf that it would have split, had there been a way.
            if where[1] is None and other == -1:
                continue
            assert one == pytest.approx(other, rel=3e-6, abs=1e-6 * max(map(abs, theirs))), where


@pytest.mark.slow
def test_trees_are_sparks_own_with_thresholds_statistics_and_importances(both):
    task, _, by_engine, by_spark = both
    kind = GBTClassificationModel if task == BINARY else GBTRegressionModel
    assert type(by_engine.model) is type(by_spark.model) is kind
    assert_same_trees(by_engine.model, by_spark.model)
    assert by_engine.model.treeWeights == by_spark.model.treeWeights
    importances = by_engine.model.featureImportances.toArray()
    assert importances == pytest.approx(by_spark.model.featureImportances.toArray(), abs=1e-6)
    assert by_engine.by == "the boosting engine"
    assert by_spark.by == ("Spark's GBTClassifier" if task == BINARY else "Spark's GBTRegressor")


@pytest.mark.slow
def test_unseen_rows_are_scored_as_by_sparks_own_refit(spark, both):
    task, _, by_engine, by_spark = both
    unseen = rows_of(spark, task, 500, seed=6)
    column = "rawPrediction" if task == BINARY else "prediction"
    ours, theirs = (
        np.array(one.model.transform(unseen).select(F.col(column)).toPandas()[column].tolist())
        for one in (by_engine, by_spark)
    )
    assert np.abs(ours - theirs).max() < 1e-6 * max(1, theirs.std())
    agreed = by_engine.check([unseen, unseen.limit(100)])
    assert (agreed.rows, agreed.beyond, agreed.labels) == (600, 0, 0)
    assert agreed.largest < 1e-9
    assert by_spark.check([unseen]) is None


def params(java):
    """All parameters with their values, without the seed's default, a hash that differs by process."""
    return re.sub(r"default: -?\d{9,}, ", "", java.explainParams())


@pytest.mark.slow
def test_model_and_trees_have_the_parameters_of_sparks_own(both):
    _, _, by_engine, by_spark = both
    ours, theirs = by_engine.model._java_obj, by_spark.model._java_obj
    assert params(ours) == params(theirs)
    assert params(ours.trees()[1]) == params(theirs.trees()[1])
    assert by_engine.model.getMaxDepth() == 3
    assert by_engine.model.numFeatures == 5
    assert getattr(by_engine.model, "numClasses", 2) == 2


@pytest.mark.slow
@pytest.mark.parametrize("task", TARGETS)
def test_trees_of_weighted_rows_are_sparks_own(spark, task):
    data, by_engine = refit_of(spark, task, WEIGHTED, weighted=True)
    assert_same_trees(by_engine.model, refit_winner(WEIGHTED, GBT, data, 7).model)
    assert by_engine.model.getOrDefault("weightCol") == WEIGHT
    assert not by_engine.check([data.frame]).beyond


@pytest.mark.slow
def test_thresholds_are_those_that_spark_draws_from_all_of_many_rows(spark):
    """15,000 rows are more than Spark looks at, and other rows than it would look at without a fold."""
    parameters = {"maxDepth": 2, "maxIter": 2, "maxBins": 8, "minInstancesPerNode": 40}
    data, by_engine = refit_of(spark, REGRESSION, parameters, rows=15_000)
    by_spark = refit_winner(parameters, GBT, data, 7)
    where = [split for split, _ in nodes(by_engine.model)]
    assert where == [split for split, _ in nodes(by_spark.model)]
    assert {feature for _, feature, *_ in where} >= {0, 1}


@pytest.mark.parametrize("task", TARGETS)
def test_tree_without_a_split_is_a_leaf(spark, task):
    data, found = refit_of(spark, task, {"maxDepth": 0, "maxIter": 2})
    assert [tree.numNodes for tree in found.model.trees] == [1, 1]
    mean = data.frame.agg(F.avg(LABEL)).first()[0]
    expected = 2 * mean - 1 if task == BINARY else mean
    assert found.model.trees[0].predict(Vectors.zeros(5)) == pytest.approx(expected, rel=1e-6)
    assert found.check([data.frame]).rows == 3000


def test_rows_that_a_tree_did_not_draw_count_as_well(spark):
    data, found = refit_of(spark, BINARY, {"maxDepth": 2, "maxIter": 3, "subsamplingRate": 0.5})
    roots = [
        rows for (_, feature, _, rows), _ in nodes(found.model) if rows == 3000 and feature is not None
    ]
    assert roots == [3000] * 3
    assert found.check([data.frame]).beyond == 0


def moved_threshold(tree):
    threshold = tree.shape.threshold.copy()
    threshold[0] += 0.1
    return replace(tree, shape=replace(tree.shape, threshold=threshold))


def changed_leaf(tree):
    prediction = tree.prediction.copy()
    prediction[-1] *= 1 + 1e-4
    return replace(tree, prediction=prediction)


def swapped_sides(tree):
    # The leaves' predictions, not the numbers: those must be in order.
    prediction = tree.prediction.copy()
    last = np.flatnonzero(tree.shape.feature == -1)[-2:]
    prediction[last] = prediction[last[::-1]]
    return replace(tree, prediction=prediction)


@pytest.mark.parametrize("fault", [moved_threshold, changed_leaf, swapped_sides])
@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("task", TARGETS)
def test_planted_fault_is_found(spark, monkeypatch, task, number, fault):
    from common.search import refit

    right = refit.spark_model

    def wrong(fit, *rest):
        trees = [fault(tree) if n == number else tree for n, tree in enumerate(fit.trees)]
        return right(replace(fit, trees=trees), *rest)

    monkeypatch.setattr(refit, "spark_model", wrong)
    data, found = refit_of(spark, task, {**PARAMETERS, "maxIter": 3})
    with pytest.raises(RefitError, match=r"of 3,000 rows, Spark's model has another margin"):
        found.check([data.frame])


def compared(task, margin, own, unit=1.0):
    margin, own = np.array(margin), np.array(own)
    table = pa.table({"margin": margin, "prediction": (margin > 0).astype(float)})
    return compared_table(table, own, unit, task, trees=50)


def test_other_label_is_counted_even_where_margins_hardly_differ():
    found = compared(BINARY, [4e-7, 0.5, -1.0], [-4e-7, 0.5, -1.0])
    assert (found.rows, found.beyond, found.labels) == (3, 0, 1)
    assert found.largest == pytest.approx(8e-7)


def test_tie_has_no_label_that_could_differ():
    assert compared(BINARY, [1e-16, 0.0], [0.0, 1e-16]).labels == 0


def test_numbers_are_compared_in_units_of_their_spread():
    found = compared(REGRESSION, [5e6 + 3e-3, 5e6 + 5e-3, -2.0], [5e6, 5e6, -2.0], unit=4096.0)
    assert (found.rows, found.beyond, found.labels) == (3, 1, 0)
    # Seconds since 1970 that differ by nanoseconds can be told apart by no sum of 50 numbers.
    assert compared(REGRESSION, [1.7e9 + 2e-6], [1.7e9], unit=1e-6).beyond == 0


def test_missing_margin_is_no_agreement():
    assert compared(BINARY, [np.nan], [0.5]).beyond == 1


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["onehot", "index"])
def test_pipeline_with_the_model_is_saved_loaded_and_exported(spark, people, spec, tmp_path, encoding):
    vectorizer = fit_vectorizer(people, spec, encoding)
    rows = vectorize(assign_fold_rank(people, spec.label, 42), vectorizer, spec)
    data = fold_data(rows, 3, spec.target)
    parameters = {"maxDepth": 4, "maxIter": 3, "maxBins": 64}
    found = refit_winner(parameters, GBT, data, 42, BoostingEngine(data, GBT, seed=42))
    assert found.check([data.frame]).rows == 2000
    pipeline = scoring_pipeline(vectorizer, found.model, spec, threshold=0.3)
    path = file_uri(tmp_path / "pipeline")
    pipeline.save(path)
    loaded = PipelineModel.load(path)
    assert loaded.transform(people).exceptAll(pipeline.transform(people)).count() == 0
    _, agreed = export(loaded, spec, people)
    assert (agreed.rows, agreed.labels, agreed.numbers) == (2000, 0, 0)


def test_engine_of_a_race_refits_its_winner_as_it_would_alone(spark, vectors):
    data = fold_data(vectors, 3, TWO)
    parameters = {"maxDepth": 2, "maxIter": 3}
    raced = RaceEngine(race([GBT, XGBOOST, LOGISTIC]), "auto", list(parameters), data, 7, 0)
    found = refit_winner(parameters, GBT, data, 7, raced)
    alone = refit_winner(parameters, GBT, data, 7, BoostingEngine(data, GBT, seed=7))
    assert found.by == "the boosting engine"
    assert list(nodes(found.model)) == list(nodes(alone.model))
    assert refit_winner({"regParam": 0.1}, LOGISTIC, data, 7, raced).by == "Spark's LogisticRegression"


@pytest.mark.parametrize(
    ("learner", "engine", "parameters", "by"),
    [
        ("gbt", MllibEngine, {"maxDepth": 1, "maxIter": 1}, "Spark's GBTClassifier"),
        ("gbt", None, {"maxDepth": 1, "maxIter": 1}, "Spark's GBTClassifier"),
        ("linear_svc", MllibEngine, {"maxIter": 2}, "Spark's LinearSVC"),
        ("xgboost", BoostingEngine, {"max_depth": 1, "n_estimators": 1}, "XGBoost's SparkXGBClassifier"),
    ],
)
def test_other_winners_are_fitted_by_their_own_estimator(spark, vectors, learner, engine, parameters, by):
    data, learner = fold_data(vectors, 3, TWO), get_learner(learner)
    found = refit_winner(parameters, learner, data, 7, engine and engine(data, learner, 7, 0))
    assert found.by == by
    assert found.check([data.frame]) is None
