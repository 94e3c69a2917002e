import numpy as np
import pytest
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T
from scipy.stats import spearmanr

from common.data.target import TWO
from common.errors import UserError
from common.learning.learners import get_learner
from common.learning.metrics import METRICS
from common.learning.vectorizer import FEATURES, LABEL, fit_vectorizer, vectorize
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.rows import arrow_columns, fold_matrix
from common.search.engines.choice import check_engine, choose_engine
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD, FOLD_RANK, assign_fold_rank, fold_data
from common.search.grid import grid_candidates
from common.search.result import CandidateFailure
from common.store.conf import load_grid

GBT, XGBOOST = get_learner("gbt"), get_learner("xgboost")
GRID = {"maxDepth": [0, 2, 3], "maxIter": [2, 4], "stepSize": [0.3], "maxBins": [4, 32]}


@pytest.fixture(scope="module")
def data(vectors):
    return fold_data(vectors, 3, TWO)


@pytest.fixture(scope="module")
def many_rows(spark):
    """15,000 rows, more than Spark samples for its thresholds: two numbers and three indicators."""
    generator = np.random.default_rng(3)
    size = 15_000
    a, b, kind = (
        generator.normal(size=size),
        generator.exponential(size=size),
        generator.integers(0, 3, size),
    )
    label = (a + b * (kind == 1) + generator.normal(size=size) > 1).astype(float)
    rows = [
        (Vectors.sparse(5, {0: x, 1: y, 2 + int(k): 1.0}), z, i)
        for i, (x, y, k, z) in enumerate(zip(a.tolist(), b.tolist(), kind, label.tolist(), strict=True))
    ]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long")
    return fold_data(spark.createDataFrame(rows, schema), 2, TWO)


def by_name(outcomes):
    return {outcome.name: outcome for outcome in outcomes}


@pytest.mark.slow
def test_scores_are_those_of_sparks_own_trees_at_the_thresholds_that_spark_draws(many_rows):
    candidates = grid_candidates(GRID, GBT)
    ours = by_name(BoostingEngine(many_rows, GBT, seed=7).evaluate(candidates))
    sparks = by_name(MllibEngine(many_rows, GBT, seed=7).evaluate(candidates))
    assert ours.keys() == sparks.keys()
    for name, result in ours.items():
        for found, expected in zip(result.folds, sparks[name].folds, strict=True):
            assert found == pytest.approx(expected, abs=1e-6), name


@pytest.mark.slow
def test_candidates_of_the_coarse_grid_stand_where_sparks_scores_put_them(spark, spec, sample_rows):
    frame = spark.createDataFrame(sample_rows.head(2500), schema=spec.schema)
    folded = assign_fold_rank(frame, spec.label, 42)
    data = fold_data(vectorize(folded, fit_vectorizer(frame, spec, "onehot"), spec), 2, spec.target)
    few = {"maxIter": [1, 3], "stepSize": [0.2], "maxBins": [4, 8, 32]}
    candidates = grid_candidates({**load_grid("gbt_coarse", GBT), **few}, GBT)
    ours = by_name(BoostingEngine(data, GBT, seed=42).evaluate(candidates))
    sparks = by_name(MllibEngine(data, GBT, seed=42).evaluate(candidates))
    assert len(sparks) == 18
    apart = [abs(ours[name].mean("f1_weighted") - sparks[name].mean("f1_weighted")) for name in sparks]
    assert max(apart) <= 0.004
    assert np.mean(apart) <= 0.0015
    ranks = spearmanr(
        [ours[n].mean("f1_weighted") for n in sparks], [s.mean("f1_weighted") for s in sparks.values()]
    )
    assert ranks.statistic >= 0.98


@pytest.mark.parametrize("learner", [GBT, XGBOOST])
def test_scores_do_not_depend_on_how_the_work_is_shared_out(data, learner):
    count, depth = learner.prefix, "maxDepth" if learner is GBT else "max_depth"
    candidates = grid_candidates({depth: [1, 2], count: [2, 4]}, learner)
    one = by_name(BoostingEngine(data, learner, seed=7, parallelism=1).evaluate(candidates))
    all_cores = by_name(BoostingEngine(data, learner, seed=7).evaluate(candidates[::-1]))
    assert {name: result.folds for name, result in one.items()} == {
        name: result.folds for name, result in all_cores.items()
    }
    assert all(set(fold) == set(METRICS) for result in one.values() for fold in result.folds)


@pytest.mark.parametrize("parallelism", [0, 1, 2])
def test_candidates_come_while_others_are_still_to_be_fitted(data, monkeypatch, parallelism):
    """One after the other, even if all of them train on the same matrices."""
    engine = BoostingEngine(data, GBT, seed=7, parallelism=parallelism)
    run, come = engine._run, []

    def watch(tasks):
        for result in run(tasks):
            come.append(result)
            yield result

    monkeypatch.setattr(engine, "_run", watch)
    candidates = grid_candidates({"maxDepth": list(range(1, 9)), "maxIter": [2]}, GBT)
    first = next(engine.evaluate(candidates))
    assert len(first.folds) == 3
    assert len(come) < 24


def test_no_more_fits_run_at_once_than_are_asked_for(data):
    engine = BoostingEngine(data, GBT, seed=7, parallelism=1)
    tracker = data.frame.sparkSession.sparkContext.statusTracker()
    active = []
    for _ in engine.evaluate(grid_candidates({"maxDepth": [1, 2, 3, 4], "maxIter": [2]}, GBT)):
        jobs = [tracker.getJobInfo(job) for job in tracker.getActiveJobsIds()]
        active.append(sum(len(job.stageIds) for job in jobs if job))
    assert len(active) == 4
    assert max(active) <= 1


def test_fit_that_fails_is_a_failed_candidate_and_the_others_go_on(data):
    good = {"max_depth": 2, "n_estimators": 2}
    engine = BoostingEngine(data, XGBOOST, seed=7)
    found = by_name(engine.evaluate([good, {**good, "grow_policy": "nonsense"}]))
    failure = found["grow_policy=nonsense max_depth=2 n_estimators=2"]
    assert isinstance(failure, CandidateFailure)
    assert "nonsense" in failure.error
    assert "\n" not in failure.error
    assert len(found["max_depth=2 n_estimators=2"].folds) == 3


def test_matrix_holds_every_value_of_sparse_and_dense_vectors(spark):
    vectors = [
        Vectors.dense(1.0, 0.0, 5.0, 0.0),
        Vectors.sparse(4, {2: 3.0, 3: 2.0}),
        Vectors.sparse(4, {0: 1.0}),
    ]
    rows = [(vector, 1.0, 0, place) for place, vector in enumerate(vectors)]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD, "integer").add("row", "long")
    matrix, _ = fold_matrix([arrow_columns(spark.createDataFrame(rows, schema)).toArrow()])
    assert matrix.places.tolist() == [2]
    assert matrix.numbers.ravel().tolist() == [5, 3, 0]
    assert matrix.features().csr().toarray().tolist() == [[1, 0, 5, 0], [0, 0, 3, 1], [1, 0, 0, 0]]
    # The zero of a number is stored; the zero of an indicator is a gap.
    assert matrix.features().csr().nnz == 6


def test_matrix_is_the_same_from_any_parts_of_its_rows(spark):
    size, missing = 5, float("nan")
    vectors = [
        Vectors.sparse(size, {}),
        Vectors.sparse(size, {0: 2.0, 2: 7.0}),
        Vectors.dense(0.0, -3.0, 0.0, missing, 0.0),
        Vectors.sparse(size, {0: 2.0, 1: -3.0, 2: -7.0}),
    ]
    rows = [(vector, float(place), place % 2, place) for place, vector in enumerate(vectors)]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD, "integer").add("row", "long")
    table = arrow_columns(spark.createDataFrame(rows, schema)).toArrow().combine_chunks()
    for length in (4, 3, 1):
        parts = [table.slice(start, length) for start in range(0, 4, length)]
        # A partition without rows sends an empty one.
        matrix, ids = fold_matrix([table.slice(0, 0), *parts])
        # Feature 2 is one number in each part, and two in all; feature 4 has none.
        assert matrix.places.tolist() == [2, 3]
        assert matrix.values.tolist() == [2, -3, 0, 0, 0]
        np.testing.assert_array_equal(matrix.numbers, [[0, 0], [7, 0], [0, missing], [-7, 0]])
        assert matrix.indicators.toarray().tolist() == [
            [0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0],
            [0, 1, 0, 0, 0],
            [1, 1, 0, 0, 0],
        ]
        assert (matrix.label.tolist(), matrix.fold.tolist()) == ([0, 1, 2, 3], [0, 1, 0, 1])
        assert ids.tolist() == [0, 1, 2, 3]


def test_auto_takes_boosting_where_it_can(data):
    assert choose_engine(GBT, "auto", ["maxDepth"], data).engine == "boosting"
    assert choose_engine(GBT, "mllib", ["maxDepth"], data).engine == "mllib"
    assert choose_engine(GBT, "auto", ["minInfoGain"], data).engine == "mllib"
    assert choose_engine(get_learner("linear_svc"), "auto", [], data).engine == "mllib"


@pytest.mark.parametrize(
    ("learner", "engine", "names", "message"),
    [
        ("gbt", "gpu", [], "engine of learner 'gbt' must be one of auto, boosting, mllib, got 'gpu'"),
        ("xgboost", "mllib", [], "engine of learner 'xgboost' must be one of auto, boosting, got"),
        ("gbt", "boosting", ["minInfoGain"], "engine 'boosting' does not support minInfoGain"),
    ],
)
def test_engine_that_cannot_score_a_learner_is_refused(learner, engine, names, message):
    with pytest.raises(UserError, match=message):
        check_engine(get_learner(learner), engine, names)


def test_job_stops_when_its_results_are_no_longer_wanted(data):
    outcomes = BoostingEngine(data, GBT, seed=7).evaluate(grid_candidates(GRID, GBT))
    next(outcomes)
    outcomes.close()
    tracker = data.frame.sparkSession.sparkContext.statusTracker()
    assert tracker.getActiveJobsIds() == []
