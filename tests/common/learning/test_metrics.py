import numpy as np
import pytest
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T

from common.data.target import TWO
from common.learning.metrics import METRICS, ScoreTable, scores
from common.learning.score_table import score_table
from common.learning.vectorizer import LABEL

MULTICLASS = {
    "f1_weighted": "f1",
    "precision_weighted": "weightedPrecision",
    "recall_weighted": "weightedRecall",
    "accuracy": "accuracy",
    "log_loss": "logLoss",
}
BY_LABEL = {"f1": "fMeasureByLabel", "precision": "precisionByLabel", "recall": "recallByLabel"}


@pytest.fixture(scope="module")
def predictions(spark):
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(500):
        # Few distinct scores, including 0 and 1, so that there are ties.
        p = float(rng.integers(0, 21)) / 20
        label = float(rng.random() < 0.2 + 0.5 * p)
        label = 0.0 if p == 0 else label
        rows.append((label, float(p > 0.5), Vectors.dense(1 - p, p), Vectors.dense(-p, p)))
    schema = T.StructType().add(LABEL, "double").add("prediction", "double")
    schema = schema.add("probability", VectorUDT()).add("rawPrediction", VectorUDT())
    return spark.createDataFrame(rows, schema)


def test_scores_agree_with_sparks_evaluators(predictions):
    found = scores(score_table(predictions, TWO))
    assert tuple(found) == METRICS
    for ours, theirs in MULTICLASS.items():
        evaluator = MulticlassClassificationEvaluator(labelCol=LABEL, metricName=theirs)
        assert found[ours] == pytest.approx(evaluator.evaluate(predictions), abs=1e-12), ours
    for ours, theirs in BY_LABEL.items():
        for label, name in ((0, f"{ours}_label_0"), (1, ours)):
            evaluator = MulticlassClassificationEvaluator(
                labelCol=LABEL, metricName=theirs, metricLabel=label
            )
            assert found[name] == pytest.approx(evaluator.evaluate(predictions))
    for ours, theirs in (("roc_auc", "areaUnderROC"), ("pr_auc", "areaUnderPR")):
        evaluator = BinaryClassificationEvaluator(labelCol=LABEL, metricName=theirs, numBins=0)
        assert found[ours] == pytest.approx(evaluator.evaluate(predictions), abs=1e-12)


def test_counting_is_one_row_a_distinct_score(predictions):
    table = score_table(predictions, TWO)
    assert table.count.sum() == 500
    assert len(table.count) <= 2 * 21


def test_rounding_of_many_rows_leaves_all_but_the_areas_exact(predictions, monkeypatch):
    monkeypatch.setattr("common.learning.score_table.DIGITS", 1)
    exact, rounded = scores(score_table(predictions, TWO)), scores(score_table(predictions, TWO, 10**9))
    for name in METRICS:
        tolerance = 0.05 if name.endswith("_auc") else 1e-12
        assert rounded[name] == pytest.approx(exact[name], abs=tolerance)


def test_one_label_alone_has_no_area_and_no_error():
    ones = np.ones(2)
    table = ScoreTable(ones, np.array([0.0, 1.0]), np.array([0.4, 0.6]), ones, ones)
    found = scores(table)
    assert np.isnan(found["roc_auc"])
    assert found["precision_label_0"] == found["recall_label_0"] == 0
    assert found["accuracy"] == 0.5
