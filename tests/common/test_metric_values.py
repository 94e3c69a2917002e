"""Every metric beside scikit-learn's, and each threshold beside a count by hand: no Spark."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from common.metrics import METRICS, ScoreTable, confusion, scores, sign, thresholds

LABEL = np.array([1, 0, 1, 1, 0, 0, 1, 0])
SAID = np.array([0.9, 0.9, 0.8, 0.6, 0.6, 0.4, 0.2, 0.1])
PREDICTED = (SAID > 0.5).astype(int)


def table(label=LABEL, prediction=PREDICTED, probability=SAID, count=None):
    count = np.ones(len(label)) if count is None else np.asarray(count, dtype=float)
    true = np.where(np.asarray(label) == 1, probability, 1 - np.asarray(probability))
    with np.errstate(divide="ignore"):
        loss = -np.log(true) * count
    return ScoreTable(np.asarray(label), np.asarray(prediction), np.asarray(probability), count, loss)


@pytest.fixture(params=[1, 2, 3])
def drawn(request):
    """300 rows, few of them positive, with ties among what is said; gives label, prediction, said."""
    draw = np.random.default_rng(request.param)
    said = draw.integers(1, 20, 300) / 20
    label = (draw.random(300) < said / 3).astype(int)
    return label, (said > 0.7).astype(int), said


def test_scores_are_those_of_scikit_learn(drawn):
    label, predicted, said = drawn
    found = scores(table(*drawn))
    assert tuple(found) == METRICS
    expected = {
        "accuracy": theirs.accuracy_score(label, predicted),
        "roc_auc": theirs.roc_auc_score(label, said),
        "log_loss": theirs.log_loss(label, said),
    }
    by_name = {
        "f1": theirs.f1_score,
        "precision": theirs.precision_score,
        "recall": theirs.recall_score,
    }
    for name, score in by_name.items():
        expected[name] = score(label, predicted)
        expected[f"{name}_label_0"] = score(label, predicted, pos_label=0)
        expected[f"{name}_weighted"] = score(label, predicted, average="weighted")
    precision, recall, _ = theirs.precision_recall_curve(label, said)
    # Spark's curve begins at recall 0 with its first point's precision, scikit-learn's with 1.
    precision[-1] = precision[-2]
    expected["pr_auc"] = theirs.auc(recall, precision)
    assert found == {name: pytest.approx(value, abs=1e-12) for name, value in expected.items()}


def test_row_with_a_count_is_so_many_rows(drawn):
    label, predicted, said = drawn
    count = np.arange(len(label)) % 4 + 1
    repeated = table(*(np.repeat(values, count) for values in drawn))
    assert scores(table(label, predicted, said, count)) == pytest.approx(scores(repeated), abs=1e-12)


def test_order_of_rows_does_not_matter(drawn):
    turned = table(*(values[::-1] for values in drawn))
    assert scores(turned) == pytest.approx(scores(table(*drawn)), abs=1e-12)


def test_confusion_has_labels_down_and_predictions_along():
    found = confusion(table([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1], [0.5] * 6, [1, 2, 4, 8, 16, 32]))
    assert found.tolist() == [[3, 4], [8, 48]]


def test_each_threshold_counts_what_lies_above_it():
    found = thresholds(table())
    assert found.probability.tolist() == [0.9, 0.8, 0.6, 0.4, 0.2, 0.1]
    assert found.true.tolist() == [1, 2, 3, 3, 4, 4]
    assert found.false.tolist() == [1, 1, 2, 3, 3, 4]
    assert found.base_rate == 0.5
    assert found.recall.tolist() == [0.25, 0.5, 0.75, 0.75, 1, 1]
    assert found.fallout.tolist() == [0.25, 0.25, 0.5, 0.75, 0.75, 1]
    assert found.precision.tolist() == pytest.approx([1 / 2, 2 / 3, 3 / 5, 1 / 2, 4 / 7, 1 / 2])


def test_f1_of_each_threshold_is_that_of_predicting_from_it_on(drawn):
    label, _, said = drawn
    found = thresholds(table(*drawn))
    weighted, positive = found.f1
    assert found.base_rate == pytest.approx(label.mean())
    for place, threshold in enumerate(found.probability):
        predicted = (said >= threshold).astype(int)
        assert positive[place] == pytest.approx(theirs.f1_score(label, predicted))
        assert weighted[place] == pytest.approx(theirs.f1_score(label, predicted, average="weighted"))


@pytest.mark.parametrize(("label", "accuracy"), [(0, 0.25), (1, 0.75)])
def test_one_label_alone_has_no_areas_and_zeros_for_the_other(label, accuracy):
    found = scores(table([label] * 4, [0, 1, 1, 1], [0.2, 0.6, 0.7, 0.8]))
    assert np.isnan(found["roc_auc"])
    assert np.isnan(found["pr_auc"])
    assert found["accuracy"] == accuracy
    there, other = ("_label_0", "") if label == 0 else ("", "_label_0")
    assert found[f"recall{there}"] == accuracy
    assert found[f"precision{there}"] == 1
    assert [found[f"{name}{other}"] for name in ("recall", "precision", "f1")] == [0, 0, 0]
    alone = thresholds(table([label] * 4, [1] * 4, [0.2, 0.6, 0.7, 0.8]))
    assert alone.base_rate == label
    assert (alone.fallout if label else alone.recall).tolist() == [0] * 4


def test_label_that_is_never_predicted_has_zeros_and_no_warning(recwarn):
    found = scores(table(prediction=np.zeros(8, int)))
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)
    assert found["f1_weighted"] == pytest.approx(0.5 * 2 / 3)
    assert not recwarn.list


def test_lower_is_better_of_log_loss_alone():
    assert {name for name in METRICS if sign(name) == -1} == {"log_loss"}
    assert {sign(name) for name in METRICS} == {1, -1}
