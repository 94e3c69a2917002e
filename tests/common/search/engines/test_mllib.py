import pytest
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

from common.data.target import BINARY, TWO
from common.learning.learners import get_learner
from common.learning.vectorizer import LABEL
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD, fold_data
from common.search.grid import grid_candidates

GBT = get_learner("gbt")
GRID = {"maxDepth": [2, 3], "maxIter": [2, 4], "stepSize": [0.3]}


@pytest.fixture(scope="module")
def data(vectors):
    return fold_data(vectors, 3, TWO)


@pytest.fixture(scope="module")
def found(data):
    return list(MllibEngine(data, GBT, seed=7).evaluate(grid_candidates(GRID, GBT)))


@pytest.mark.slow
def test_scores_equal_those_of_sparks_cross_validator(data, found):
    estimator = GBT.fitting(BINARY).estimator({}, 7)
    maps = ParamGridBuilder()
    for name, values in GRID.items():
        maps = maps.addGrid(estimator.getParam(name), values)
    maps = maps.build()
    validator = CrossValidator(
        estimator=estimator,
        estimatorParamMaps=maps,
        evaluator=MulticlassClassificationEvaluator(labelCol=LABEL, metricName="f1"),
        numFolds=3,
        foldCol=FOLD,
        parallelism=2,
        collectSubModels=True,
    )
    fitted = validator.fit(data.frame)
    others = {
        "log_loss": MulticlassClassificationEvaluator(labelCol=LABEL, metricName="logLoss"),
        "roc_auc": BinaryClassificationEvaluator(labelCol=LABEL, metricName="areaUnderROC", numBins=0),
    }
    ours = {tuple(sorted(result.parameters.items())): result for result in found}
    assert len(ours) == len(maps) == 4
    for place, params in enumerate(maps):
        result = ours[tuple(sorted((param.name, value) for param, value in params.items()))]
        assert result.mean("f1_weighted") == pytest.approx(fitted.avgMetrics[place], abs=1e-9)
        for fold, models in enumerate(fitted.subModels):
            predictions = models[place].transform(data.validation(fold))
            for metric, evaluator in others.items():
                theirs = evaluator.evaluate(predictions)
                assert result.folds[fold][metric] == pytest.approx(theirs, abs=1e-9)


def test_fewer_trees_are_read_off_the_fit_of_more(data, found):
    alone = next(
        MllibEngine(data, GBT, seed=7).evaluate([{"maxDepth": 2, "maxIter": 2, "stepSize": 0.3}])
    )
    shared = next(r for r in found if r.parameters == alone.parameters)
    assert shared.folds == alone.folds
    fourfold = next(r for r in found if r.parameters == {**alone.parameters, "maxIter": 4})
    assert shared.fit_seconds == fourfold.fit_seconds


def test_scores_do_not_depend_on_how_many_fits_run_at_once(data, found):
    again = list(MllibEngine(data, GBT, seed=7, parallelism=1).evaluate(grid_candidates(GRID, GBT)))
    assert {r.name: r.folds for r in again} == {r.name: r.folds for r in found}


def test_spark_keeps_no_job_of_a_search(spark, data):
    """It keeps those that it takes for a query's which has ended."""
    kept = spark.sparkContext._jsc.sc().dagScheduler().activeQueryToJobs()
    before = kept.size()
    linear = get_learner("logistic_regression")
    candidates = [{"maxIter": 3, "regParam": place / 10} for place in range(4)]
    assert len(list(MllibEngine(data, linear, seed=7, parallelism=4).evaluate(candidates))) == 4
    assert kept.size() == before


def test_candidate_without_the_shared_parameter_is_scored(data):
    found = list(
        MllibEngine(data, GBT, seed=7).evaluate([{"maxDepth": 1}, {"maxDepth": 1, "maxIter": 2}])
    )
    assert [len(result.folds) for result in found] == [3, 3]


def test_candidate_that_cannot_be_fitted_does_not_stop_the_others(vectors):
    forest = get_learner("random_forest")
    engine = MllibEngine(fold_data(vectors, 2, TWO), forest, seed=7)
    good = {"maxDepth": 1, "numTrees": 1}
    found = {
        outcome.name: outcome
        for outcome in engine.evaluate([good, {**good, "featureSubsetStrategy": "nonsense"}])
    }
    failure = found["featureSubsetStrategy=nonsense maxDepth=1 numTrees=1"]
    assert "nonsense" in failure.error
    assert len(found["maxDepth=1 numTrees=1"].folds) == 2
