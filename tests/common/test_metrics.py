import numpy as np
import pytest
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T

from common.metrics import (
    DEFAULT_METRIC,
    METRICS,
    ScoreTable,
    calibration,
    calibration_error,
    guess_scores,
    label_counts,
    scores,
    told,
)
from common.score_table import score_table

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
        # Few distinct scores, so that there are ties, a zero and a one among them.
        p = float(rng.integers(0, 21)) / 20
        label = float(rng.random() < 0.2 + 0.5 * p)
        label = 0.0 if p == 0 else label
        rows.append((label, float(p > 0.5), Vectors.dense(1 - p, p), Vectors.dense(-p, p)))
    schema = T.StructType().add("label", "double").add("prediction", "double")
    schema = schema.add("probability", VectorUDT()).add("rawPrediction", VectorUDT())
    return spark.createDataFrame(rows, schema)


def test_scores_agree_with_sparks_evaluators(predictions):
    found = scores(score_table(predictions))
    assert tuple(found) == METRICS
    for ours, theirs in MULTICLASS.items():
        evaluator = MulticlassClassificationEvaluator(metricName=theirs)
        assert found[ours] == pytest.approx(evaluator.evaluate(predictions), abs=1e-12), ours
    for ours, theirs in BY_LABEL.items():
        for label, name in ((0, f"{ours}_label_0"), (1, ours)):
            evaluator = MulticlassClassificationEvaluator(metricName=theirs, metricLabel=label)
            assert found[name] == pytest.approx(evaluator.evaluate(predictions))
    for ours, theirs in (("roc_auc", "areaUnderROC"), ("pr_auc", "areaUnderPR")):
        evaluator = BinaryClassificationEvaluator(metricName=theirs, numBins=0)
        assert found[ours] == pytest.approx(evaluator.evaluate(predictions), abs=1e-12)


def test_counting_is_one_row_a_distinct_score(predictions):
    table = score_table(predictions)
    assert table.count.sum() == 500
    assert len(table.count) <= 2 * 21


def test_rounding_of_many_rows_leaves_all_but_the_areas_exact(predictions, monkeypatch):
    monkeypatch.setattr("common.score_table.DIGITS", 1)
    exact, rounded = scores(score_table(predictions)), scores(score_table(predictions, 10**9))
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


def counted(rows):
    """Make a table of (label, prediction, probability, count)."""
    label, prediction, probability, count = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    true = np.where(label == 1, probability, 1 - probability)
    return ScoreTable(label, prediction, probability, count, -np.log(true) * count)


# 10,000 rows, 230 of them positive: 140 found, and 75 taken for it.
RARE = counted([(1, 1, 0.9, 140), (1, 0, 0.1, 90), (0, 1, 0.9, 75), (0, 0, 0.1, 9695)])


def test_f1_of_a_rare_label_is_its_own_and_not_the_frequent_ones():
    found = scores(RARE)
    assert found["precision"] == pytest.approx(140 / 215)
    assert found["recall"] == pytest.approx(140 / 230)
    assert found["f1"] == pytest.approx(2 * 140 / (215 + 230))
    assert found["f1_label_0"] == pytest.approx(2 * 9695 / (9785 + 9770))
    weighted = 0.023 * found["f1"] + 0.977 * found["f1_label_0"]
    assert found["f1_weighted"] == pytest.approx(weighted)
    assert weighted > 0.98


def test_guessing_says_the_frequent_label_with_the_share_of_the_other():
    guess = guess_scores(label_counts(RARE))
    assert tuple(guess) == METRICS
    assert (guess["f1"], guess["recall"], guess["accuracy"]) == (0, 0, 0.977)
    assert guess["f1_weighted"] == pytest.approx(0.977 * 2 * 0.977 / 1.977)
    assert guess["roc_auc"] == pytest.approx(0.5)
    assert guess["pr_auc"] == pytest.approx(0.023)
    assert guess["log_loss"] == pytest.approx(-0.023 * np.log(0.023) - 0.977 * np.log(0.977))


def test_guessing_at_a_label_that_most_rows_have_finds_it_always():
    guess = guess_scores([20, 80])
    assert (guess["recall"], guess["precision"], guess["f1"]) == (1, 0.8, pytest.approx(1.6 / 1.8))


def test_guessing_at_one_label_alone_has_no_area_and_no_error():
    guess = guess_scores([7, 0])
    assert guess["accuracy"] == 1
    assert guess["log_loss"] == 0
    assert np.isnan(guess["roc_auc"])


def test_score_is_told_beside_guessing():
    assert told("f1", {"f1": 0.7}, {"f1": 0.1}) == "f1 0.7000 (guessing 0.1000)"


def test_default_metric_is_one_that_a_rare_label_does_not_flatter():
    assert DEFAULT_METRIC in METRICS
    assert guess_scores([977, 23])[DEFAULT_METRIC] == guess_scores([50, 50])[DEFAULT_METRIC] == 0.5


def test_calibration_compares_said_and_seen_in_parts_of_equally_many_rows():
    rows = [(float(place % 4 == 0), 0.0, (place + 0.5) / 1000, 1) for place in range(1000)]
    found = calibration(counted(rows))
    assert found.count.tolist() == [100] * 10
    assert found.said == pytest.approx(np.arange(10) / 10 + 0.05)
    assert found.seen == pytest.approx(np.full(10, 0.25))
    assert calibration_error(counted(rows)) == pytest.approx(np.abs(found.said - 0.25).mean())


def test_equal_probabilities_stay_in_one_part():
    table = counted([(1, 0, 0.3, 60), (0, 0, 0.3, 140), (1, 1, 0.8, 5)])
    found = calibration(table)
    assert found.count.tolist() == [200, 5]
    assert calibration_error(table) == pytest.approx(5 * 0.2 / 205)
