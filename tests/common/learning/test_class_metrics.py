"""Metrics of several labels compared with scikit-learn's and Spark's; also Spark's table of counts."""

import numpy as np
import pytest
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T
from sklearn import metrics as theirs

from common.data.target import MULTICLASS, Target
from common.learning import score_table as counting
from common.learning.class_metrics import (
    CLASS_METRICS,
    class_guess,
    class_scores,
    class_table,
    label_areas,
)
from common.learning.score_table import score_table, score_tables
from common.learning.tasks import guess_scores, labels_of, scores, shown_scores
from common.learning.vectorizer import LABEL

FOUR = Target(MULTICLASS, ("a", "b", "c", "d"))
SPARKS = {
    "log_loss": "logLoss",
    "accuracy": "accuracy",
    "f1_weighted": "f1",
}


def drawn(seed, rows=400, labels=4, absent=()):
    """Labels and probabilities with ties; the absent labels have no row, but probabilities."""
    draw = np.random.default_rng(seed)
    there = [label for label in range(labels) if label not in absent]
    label = draw.choice(there, rows)
    weight = draw.integers(1, 6, (rows, labels)).astype(float)
    weight[np.arange(rows), label] += draw.integers(0, 8, rows)
    return label, weight / weight.sum(axis=1, keepdims=True)


def expected(label, probability, labels=4):
    said = probability.argmax(axis=1)
    there = np.unique(label)
    areas = [theirs.roc_auc_score(label == one, probability[:, one]) for one in there]
    return {
        "log_loss": theirs.log_loss(label, probability, labels=range(labels)),
        "accuracy": theirs.accuracy_score(label, said),
        "roc_auc": np.mean(areas),
        "f1_macro": theirs.f1_score(label, said, average="macro", labels=there),
        "f1_weighted": theirs.f1_score(label, said, average="weighted"),
        "recall_macro": theirs.recall_score(label, said, average="macro", labels=there),
    }


@pytest.mark.parametrize("absent", [(), (1,), (0, 3)])
@pytest.mark.parametrize("seed", [1, 2])
def test_scores_are_those_of_scikit_learn(seed, absent):
    label, probability = drawn(seed, absent=absent)
    found = class_scores(class_table(label, probability))
    assert tuple(found) == CLASS_METRICS
    assert found == pytest.approx(expected(label, probability), abs=1e-12)


def test_area_is_scikit_learns_one_against_the_rest():
    label, probability = drawn(3)
    ovr = theirs.roc_auc_score(label, probability, multi_class="ovr")
    assert class_scores(class_table(label, probability))["roc_auc"] == pytest.approx(ovr, abs=1e-12)


def test_area_of_a_label_is_the_share_of_pairs_in_order_and_ties_are_halves():
    label, probability = drawn(4, rows=60)
    areas = label_areas(class_table(label, probability))
    for one in range(4):
        mine, others = probability[label == one, one], probability[label != one, one]
        ordered = np.sign(mine[:, None] - others[None, :])
        assert areas[one] == pytest.approx(((ordered + 1) / 2).mean())


def test_one_row_has_no_area():
    found = class_scores(class_table(np.array([2]), np.array([[0.1, 0.2, 0.7]])))
    assert np.isnan(found.pop("roc_auc"))
    assert found == pytest.approx(
        {"log_loss": -np.log(0.7), **dict.fromkeys(CLASS_METRICS[1:2] + CLASS_METRICS[3:], 1.0)}
    )


def test_label_that_was_ruled_out_has_a_finite_loss():
    found = class_scores(class_table(np.array([0, 1]), np.array([[0.0, 1.0, 0], [0, 1, 0]])))
    assert found["log_loss"] == pytest.approx(-np.log(1e-15) / 2)


def test_guessing_says_the_most_frequent_label_with_the_shares():
    label = np.repeat([0, 1, 3], [20, 50, 30])
    shares = np.array([0.2, 0.5, 0, 0.3])
    guess = class_guess(np.array([20, 50, 0, 30]))
    assert guess == pytest.approx(expected(label, np.tile(shares, (100, 1))), abs=1e-12)
    assert guess["roc_auc"] == 0.5
    assert guess == pytest.approx(guess_scores(labels_of(class_table(label, np.tile(shares, (100, 1))))))


def test_scores_are_shown_beside_guessing():
    label, probability = drawn(6)
    table = class_table(label, probability)
    said = shown_scores(MULTICLASS, scores(table), guess_scores(labels_of(table)))
    assert said.startswith(f"log_loss {expected(label, probability)['log_loss']:.4f} (guessing 1.3")
    assert [part.split()[0] for part in said.split(", ")] == ["log_loss", "accuracy", "f1_macro"]


@pytest.fixture(scope="module")
def predictions(spark):
    """400 predictions in two parts: label 3 is absent from part 1, and label 2 from both."""
    label, probability = drawn(7, absent=(2,))
    part = np.arange(400) % 2
    label[(part == 1) & (label == 3)] = 0
    rows = [
        (int(of), float(true), float(p.argmax()), Vectors.dense(p))
        for of, true, p in zip(part, label, probability, strict=True)
    ]
    schema = T.StructType().add("part", "integer").add(LABEL, "double").add("prediction", "double")
    frame = spark.createDataFrame(rows, schema.add("probability", VectorUDT())).cache()
    return frame, part, label, probability


def test_table_of_counts_gives_sparks_and_scikit_learns_scores(predictions):
    frame, _, label, probability = predictions
    found = scores(score_table(frame, FOUR))
    assert found == pytest.approx(expected(label, probability), abs=1e-12)
    for ours, name in SPARKS.items():
        evaluator = MulticlassClassificationEvaluator(metricName=name, labelCol=LABEL)
        assert found[ours] == pytest.approx(evaluator.evaluate(frame), abs=1e-12), ours


def test_each_part_has_the_scores_of_its_rows(predictions):
    frame, part, label, probability = predictions
    for number, table in enumerate(score_tables(frame, "part", FOUR)):
        mine = part == number
        assert table.confusion.shape == (4, 4)
        assert scores(table) == pytest.approx(expected(label[mine], probability[mine]), abs=1e-12)


def test_rounding_of_many_rows_leaves_all_but_the_areas_exact(predictions, monkeypatch):
    frame, _, label, probability = predictions
    monkeypatch.setattr(counting, "DIGITS", 1)
    table = score_table(frame, FOUR, rows=10**9)
    assert len(table.of) <= 4 * 11
    found, exact = scores(table), expected(label, probability)
    for name in CLASS_METRICS:
        assert found[name] == pytest.approx(exact[name], abs=0.05 if name == "roc_auc" else 1e-12)
    rounded = [theirs.roc_auc_score(label == one, probability[:, one].round(1)) for one in (0, 1, 3)]
    assert found["roc_auc"] == pytest.approx(np.mean(rounded), abs=1e-2)
