import pytest
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

from common.learners import get_learner
from common.search import mllib
from common.search.folds import FOLD, fold_data
from common.search.grid import grid_candidates

GBT = get_learner("gbt")
GRID = {"maxDepth": [2, 3], "maxIter": [3, 6], "stepSize": [0.3]}


@pytest.fixture(scope="module")
def data(vectors):
    return fold_data(vectors, 3)


@pytest.fixture(scope="module")
def found(data):
    return list(mllib.evaluate(grid_candidates(GRID, GBT), data, GBT, seed=7))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "evaluator"),
    [
        ("f1", lambda: MulticlassClassificationEvaluator(metricName="f1")),
        ("log_loss", lambda: MulticlassClassificationEvaluator(metricName="logLoss")),
        ("roc_auc", lambda: BinaryClassificationEvaluator(metricName="areaUnderROC", numBins=0)),
    ],
)
def test_scores_equal_those_of_sparks_cross_validator(data, found, metric, evaluator):
    estimator = GBT.estimator({}, 7)
    maps = ParamGridBuilder()
    for name, values in GRID.items():
        maps = maps.addGrid(estimator.getParam(name), values)
    validator = CrossValidator(
        estimator=estimator,
        estimatorParamMaps=maps.build(),
        evaluator=evaluator(),
        numFolds=3,
        foldCol=FOLD,
        parallelism=2,
    )
    model = validator.fit(data.frame)
    ours = {tuple(sorted(result.parameters.items())): result for result in found}
    assert len(ours) == len(model.avgMetrics) == 4
    for params, mean in zip(maps.build(), model.avgMetrics, strict=True):
        key = tuple(sorted((param.name, value) for param, value in params.items()))
        assert ours[key].mean(metric) == pytest.approx(mean, abs=1e-9)


def test_fewer_trees_are_read_off_the_fit_of_more(data, found):
    alone = next(mllib.evaluate([{"maxDepth": 2, "maxIter": 3, "stepSize": 0.3}], data, GBT, seed=7))
    shared = next(r for r in found if r.parameters == alone.parameters)
    assert shared.folds == alone.folds
    sixfold = next(r for r in found if r.parameters == {**alone.parameters, "maxIter": 6})
    assert shared.fit_seconds == sixfold.fit_seconds


def test_scores_do_not_depend_on_how_many_fits_run_at_once(data, found):
    again = list(mllib.evaluate(grid_candidates(GRID, GBT), data, GBT, seed=7, parallelism=1))
    assert {r.name: r.folds for r in again} == {r.name: r.folds for r in found}


def test_candidate_without_the_shared_parameter_is_scored(data):
    found = list(mllib.evaluate([{"maxDepth": 1}, {"maxDepth": 1, "maxIter": 2}], data, GBT, seed=7))
    assert [len(result.folds) for result in found] == [3, 3]
