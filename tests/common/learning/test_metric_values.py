"""Every metric compared with scikit-learn's, and each threshold with a plain count; no Spark."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from common.learning.metrics import (
    DEFAULT_METRIC,
    METRICS,
    OF_PROBABILITY,
    ScoreTable,
    calibration,
    calibration_error,
    confusion,
    guess_scores,
    label_counts,
    scores,
    shown_score,
    sign,
    thresholds,
    told,
)

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
    """300 rows with few positives and tied probabilities; returns label, prediction, probability."""
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


def test_metrics_of_probabilities_are_listed(drawn):
    """A threshold changes all others: by them a model is judged as it predicts."""
    label, predicted, said = drawn
    found, other = scores(table(*drawn)), scores(table(label, predicted, said**2))
    again = scores(table(label, 1 - predicted, said))
    # Squares keep the order of probabilities, which is all that the areas ask for.
    turned = scores(table(label, predicted, 1 - said))
    assert {name for name in METRICS if found[name] != again[name]} == set(METRICS) - set(OF_PROBABILITY)
    changed = {name for name in METRICS if not found[name] == other[name] == turned[name]}
    assert changed == set(OF_PROBABILITY)


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


def test_lowest_threshold_finds_all_of_both_labels():
    found = thresholds(table([1, 0, 1, 0], [1, 1, 0, 0], [0.9, 0.5, 0.1, 0.1]))
    assert (found.true.tolist(), found.false.tolist()) == ([1, 1, 2], [0, 1, 2])
    assert found.recall.tolist() == [0.5, 0.5, 1]
    assert found.fallout.tolist() == [0, 0.5, 1]
    weighted, positive = found.f1
    assert positive.tolist() == pytest.approx([2 / 3, 1 / 2, 2 / 3])
    assert weighted.tolist() == pytest.approx([(2 / 3 + 4 / 5) / 2, 1 / 2, 1 / 3])


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


def counted(rows):
    """Make a table of (label, prediction, probability, count)."""
    label, prediction, probability, count = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    true = np.where(label == 1, probability, 1 - probability)
    return ScoreTable(label, prediction, probability, count, -np.log(true) * count)


# 10,000 rows, 230 of them positive: 140 true and 75 false positives.
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
    assert set(guess) == set(METRICS)
    assert guess["accuracy"] == guess["recall_weighted"] == 0.977
    assert guess["f1_weighted"] == pytest.approx(0.977 * 2 * 0.977 / 1.977)
    assert guess["roc_auc"] == pytest.approx(0.5)
    assert guess["pr_auc"] == pytest.approx(0.023)
    assert guess["log_loss"] == pytest.approx(-0.023 * np.log(0.023) - 0.977 * np.log(0.977))


def test_guessing_by_a_labels_own_metric_says_that_label():
    """A model that says a rare label of all rows has an f1 above 0 and has learnt nothing."""
    guess = guess_scores(label_counts(RARE))
    assert (guess["recall"], guess["precision"]) == (1, 0.023)
    assert guess["f1"] == pytest.approx(2 * 0.023 / 1.023)
    assert (guess["recall_label_0"], guess["precision_label_0"]) == (1, 0.977)
    assert guess["f1_label_0"] == pytest.approx(2 * 0.977 / 1.977)


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


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (1.0, False, "1.0000"),
        (0.99996, False, ">0.9999"),
        (0.9999, False, "0.9999"),
        (-1e-5, False, "0.0000"),
        (-0.5, False, "-0.5000"),
        (1e-5, True, "+0.0000"),
        (2e-5, False, "<0.0001"),
        (5e-5, False, "0.0001"),
        (1e-17, False, "0.0000"),
    ],
)
def test_score_is_not_shown_as_perfect_if_it_is_not(value, signed, shown):
    assert shown_score("accuracy", value, signed=signed) == shown
