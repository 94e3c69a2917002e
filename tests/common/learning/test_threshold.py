from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from common.errors import UserError
from common.learning.metrics import ScoreTable, scores
from common.learning.threshold import (
    CHOOSES,
    OF_THRESHOLD,
    VALUES,
    at_half,
    at_own,
    best_threshold,
    curve,
    fold_scores_at,
    parse_threshold,
    scores_at,
)


def draw(rows, seed):
    """Labels and probabilities whose best threshold is well below one half."""
    random = np.random.default_rng(seed)
    label = (random.random(rows) < 0.2).astype(int)
    return label, np.clip(random.beta(2, 6, rows) + 0.2 * label, 0, 1)


def table_of(label, probability):
    ones = np.ones(len(label))
    return ScoreTable(label, (probability > 0.5).astype(int), probability, ones, ones)


BY_SKLEARN = {
    "f1": f1_score,
    "f1_weighted": lambda true, said: f1_score(true, said, average="weighted"),
    "f1_label_0": lambda true, said: f1_score(true, said, pos_label=0),
    "accuracy": accuracy_score,
}


@pytest.mark.parametrize("metric", CHOOSES)
def test_best_threshold_is_that_of_trying_each(metric):
    label, probability = draw(500, 1)
    # Of two equal folds each is at its own best.
    found = best_threshold([curve(table_of(label, probability))] * 2, metric)
    each = [BY_SKLEARN[metric](label, probability > value) for value in VALUES]
    assert found.score == pytest.approx(max(each))
    assert BY_SKLEARN[metric](label, probability > found.value) == pytest.approx(max(each))
    assert found.at_half == pytest.approx(each[VALUES.tolist().index(0.5)])
    assert found.metric == metric


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "recall", "precision"])
def test_metric_that_needs_no_threshold_leaves_it_to_f1(metric):
    found = [curve(table_of(*draw(500, seed))) for seed in (2, 3)]
    assert best_threshold(found, metric) == best_threshold(found, "f1")


def test_of_equally_good_thresholds_the_nearest_to_half_is_taken():
    label, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    assert best_threshold([curve(table_of(label, probability))] * 2, "f1").value == 0.5


def test_probability_at_the_threshold_is_not_above_it():
    label, probability = np.array([0, 1, 1]), np.array([0.3, 0.301, 0.4])
    found = best_threshold([curve(table_of(label, probability))] * 2, "f1")
    assert found.score == 1
    assert (probability > found.value).tolist() == [False, True, True]


@pytest.mark.parametrize("probability", VALUES[[0, 28, 120, 300, 998, 1196]])
def test_every_threshold_itself_is_below_it(probability):
    found = curve(table_of(np.array([1]), np.array([probability])))
    assert found.positive.argmax() == np.count_nonzero(probability > VALUES)


@pytest.mark.parametrize("probability", [0.0, 1e-9, 1.0])
def test_probabilities_at_the_ends_are_counted(probability):
    found = curve(table_of(np.array([1]), np.array([probability])))
    assert found.positive.sum() == 1


def test_curves_of_folds_add_up_to_that_of_their_rows():
    label, probability = draw(1000, 3)
    halves = [
        curve(table_of(label[part], probability[part])) for part in (slice(0, 400), slice(400, None))
    ]
    whole = curve(table_of(label, probability))
    assert ((halves[0] + halves[1]).positive == whole.positive).all()
    assert ((halves[0] + halves[1]).negative == whole.negative).all()


@pytest.mark.parametrize("text", ["0", "1", "-0.1", "nan", "half", ""])
def test_bad_threshold_is_refused(text):
    with pytest.raises(UserError, match="threshold must be auto or a number between 0 and 1"):
        parse_threshold(text)


def test_threshold_is_read():
    assert (parse_threshold("auto"), parse_threshold("0.25")) == (None, 0.25)


@pytest.mark.parametrize("threshold", [0.0004, 0.001, 0.237, 0.5, 0.999, 0.9997])
def test_scores_at_a_threshold_are_those_of_predictions_by_it(threshold):
    label, probability = draw(500, 3)
    by_it = replace(table_of(label, probability), prediction=(probability > threshold).astype(int))
    found = scores_at(curve(by_it), threshold)
    assert list(found) == list(OF_THRESHOLD)
    assert found == pytest.approx({name: scores(by_it)[name] for name in OF_THRESHOLD})


def test_threshold_where_the_folds_have_no_scores_is_refused():
    for text in ("0.0004", "0.00042", "0.9999", "0.001", "0.237", "0.990"):
        assert parse_threshold(text) in VALUES
    for text in ("0.3333", "0.0015", "0.000001", "0.999999"):
        with pytest.raises(UserError, match=f"at most three digits.*, got '{text}'"):
            parse_threshold(text)


def test_score_over_the_folds_says_that_it_is_at_half_where_the_model_is_not():
    assert at_half("f1", 0.385) == " at 0.5"
    assert at_half("f1", 0.5) == at_half("roc_auc", 0.385) == at_half("rmse", 0.5) == ""
    assert at_own("f1", 0.385) == " at 0.385"
    assert at_own("f1", 0.5) == at_own("roc_auc", 0.385) == ""


def test_a_fold_has_no_part_in_the_choice_of_the_threshold_that_it_is_scored_at():
    """By another way: each fold alone, predicted at the best threshold of the other rows."""
    label, probability = draw(150, 5)
    parts = [np.arange(place, 150, 3) for place in range(3)]
    folds = [curve(table_of(label[part], probability[part])) for part in parts]
    found = fold_scores_at(folds, "f1")
    for part, scored in zip(parts, found, strict=True):
        others = np.setdiff1d(np.arange(150), part)
        each = [f1_score(label[others], probability[others] > value) for value in VALUES]
        equal = VALUES[np.flatnonzero(np.isclose(each, max(each), atol=1e-12))]
        value = equal[np.argmin(np.abs(equal - 0.5))]
        assert scored["f1"] == pytest.approx(f1_score(label[part], probability[part] > value))
    chosen = best_threshold(folds, "f1")
    assert chosen.score == pytest.approx(np.mean([one["f1"] for one in found]))
    in_sample = fold_scores_at(folds, "f1", chosen.value)
    assert chosen.score < np.mean([one["f1"] for one in in_sample])
    assert in_sample == [scores_at(one, chosen.value) for one in folds]
