import numpy as np
import pytest

from common.champion.verdict import (
    Contestant,
    Terms,
    compare_on_folds,
    compare_parts,
    parse_margin,
    same_folds,
    unlike,
)
from common.errors import UserError


def contestant(**given):
    known = {"version": "1", "dataset": "adult", "source": "path", "metric": "roc_auc"}
    known["labels_digest"] = "a"
    return Contestant(**{**known, "folds_digest": "abc:2", "fold_scores": [0.9, 0.8], **given})


def test_difference_is_paired_by_fold_with_its_standard_error():
    found = compare_parts("roc_auc", [0.90, 0.80, 0.86], [0.89, 0.78, 0.83], "over the same 3 folds")
    assert found.difference.mean == pytest.approx(0.02)
    # Standard deviation 0.01 of the differences 0.01, 0.02, 0.03, over the root of 3.
    assert found.difference.error == pytest.approx(0.01 / 3**0.5)
    assert (found.ours, found.theirs) == (pytest.approx(2.56 / 3), pytest.approx(2.5 / 3))


def test_lower_log_loss_is_better():
    found = compare_parts("log_loss", [0.30, 0.31], [0.32, 0.34], "over the same 2 folds")
    assert found.better
    assert found.difference.mean == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("ours", "margin", "takes"),
    [
        # Leads 0.01, 0.02, 0.03: mean 0.02, standard error 0.00577.
        ([0.90, 0.80, 0.86], None, True),
        ([0.90, 0.80, 0.86], 0.0199, True),
        ([0.90, 0.80, 0.86], 0.0201, False),
        # Leads 0.05, -0.02, 0.0: mean 0.01, standard error 0.0208, so it can be chance.
        ([0.94, 0.76, 0.83], None, False),
        ([0.94, 0.76, 0.83], 0.0, True),
        # No lead, and a negative one.
        ([0.89, 0.78, 0.83], 0.0, False),
        ([0.88, 0.77, 0.82], 0.0, False),
        # A lead on one fold alone is exactly its error, but for rounding.
        ([0.901, 0.78, 0.83], None, False),
        ([0.934, 0.78, 0.83], None, False),
        # The same lead on every fold: the error is zero.
        ([0.90, 0.79, 0.84], None, True),
    ],
)
def test_alias_is_asked_for_by_more_than_the_margin(ours, margin, takes):
    found = compare_parts("roc_auc", ours, [0.89, 0.78, 0.83], "over the same 3 folds")
    assert Terms(margin, {}).takes(found)[0] == takes


def test_lead_of_just_the_margin_is_not_enough():
    found = compare_parts("roc_auc", [0.75, 0.75], [0.5, 0.5], "over the same 2 folds")
    takes, said = Terms(0.25, {}).takes(found)
    assert not takes
    assert said.startswith("not better by more than the margin: ")
    assert said.endswith("required: more than 0.250000 (margin)")


def test_verdict_says_the_difference_with_its_error_and_what_was_asked():
    found = compare_parts("roc_auc", [0.90, 0.80, 0.86], [0.89, 0.78, 0.83], "over the same 3 folds")
    assert Terms(None, {}).takes(found)[1] == (
        "better: roc_auc 0.853333 against 0.833333 over the same 3 folds, a difference of +0.020000 +- "
        "0.005774; required: more than 0.005774 (one standard error)"
    )
    assert (
        Terms(0.5, {}).takes(found)[1].startswith("not better by more than the margin: roc_auc 0.853333")
    )
    worse = compare_parts("roc_auc", [0.8, 0.7], [0.9, 0.8], "over the same 2 folds")
    assert Terms(None, {}).takes(worse)[1].startswith("not better: roc_auc")


@pytest.mark.parametrize(
    ("lead", "margin", "verdict", "said"),
    [
        (0.0100000004, 0.01, "better", "+0.0100000004 +- 0.0000000000; required: more than 0.0100000000"),
        (
            0.0099999996,
            0.01,
            "not better by more than the margin",
            "+0.0099999996 +- 0.0000000000; required: more than 0.0100000000",
        ),
        (3e-8, 1e-8, "better", "+0.00000003 +- 0.00000000; required: more than 0.00000001"),
        (0.0, 0.0, "not better", "+0.000000 +- 0.000000; required: more than 0.000000"),
    ],
)
def test_lead_and_what_is_required_of_it_are_told_apart(lead, margin, verdict, said):
    """Six digits made `better: a difference of +0.010000; required: more than 0.010000` of it."""
    theirs = np.array([0.5, 0.75])
    told = Terms(margin, {}).takes(compare_parts("roc_auc", theirs + lead, theirs, "over 2 folds"))[1]
    assert told.startswith(f"{verdict}: ")
    assert told.endswith(f"{said} (margin)")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"dataset": "other"}, "it was trained on data set 'adult', champion 2 on 'other'"),
        ({"metric": "f1"}, "it was searched by roc_auc, champion 2 by f1"),
        (
            {"task": "multiclass", "labels": 4},
            "it predicts one of two labels, champion 2 one of 4 labels",
        ),
        ({"task": "regression", "labels": 0}, "it predicts one of two labels, champion 2 a number"),
        ({"labels_digest": "b"}, "it predicts other labels, or another positive one, than champion 2"),
        # Older versions have no digest.
        ({"labels_digest": ""}, None),
        ({}, None),
        ({"source": "uci"}, None),
    ],
)
def test_contender_must_be_of_the_champions_kind(other, reason):
    assert unlike(contestant(), contestant(version="2", **other)) == reason


def test_number_does_not_take_the_place_of_labels():
    ours = contestant(task="regression", labels=0, labels_digest="n", metric="rmse")
    assert unlike(ours, contestant(version="3")) == "it predicts a number, champion 3 one of two labels"
    assert unlike(ours, ours) is None


def test_verdict_in_the_numbers_unit_is_told_by_its_size():
    found = compare_parts("rmse", [54321.9, 54320.1], [65432.1, 65430.7], "over the same 2 folds")
    takes, said = Terms(None, {}).takes(found)
    assert takes
    assert said.startswith(
        "better: rmse 54321.00 against 65431.40 over the same 2 folds, a difference of +1"
    )
    assert found.difference.mean == pytest.approx(11110.4)


@pytest.mark.parametrize(("scale", "clear"), [(1.0, True), (1e6, False)])
def test_difference_that_rounding_can_make_is_none(scale, clear):
    theirs = np.array([0.5, 0.75])
    found = compare_parts("rmse", scale * theirs - 1e-8, scale * theirs, "over the same 2 folds")
    assert found.better == clear
    assert Terms(0.0, {}).takes(found)[0] == clear


def test_sample_never_takes_the_place_of_real_rows():
    sample = contestant(source="sample")
    assert "on the synthetic sample" in unlike(sample, contestant(version="2"))
    assert unlike(sample, sample) is None


def test_folds_that_are_not_known_are_not_the_same():
    assert same_folds(contestant(), contestant(version="2"))
    assert not same_folds(contestant(), contestant(folds_digest="abc:3"))
    assert not same_folds(contestant(folds_digest=""), contestant(folds_digest=""))


@pytest.mark.parametrize(("given", "margin"), [("auto", None), ("0", 0.0), ("0.01", 0.01)])
def test_margin_is_auto_or_a_number(given, margin):
    assert parse_margin(given) == margin


@pytest.mark.parametrize("given", ["-0.1", "much", "nan", "inf", ""])
def test_margin_that_is_none_is_refused(given):
    with pytest.raises(UserError, match="margin must be auto .* or a non-negative number, got"):
        parse_margin(given)


def test_contestants_are_compared_as_they_predict_where_that_is_known():
    ours, theirs = contestant(at_threshold=[0.6, 0.7]), contestant(at_threshold=[0.5, 0.5])
    found = compare_on_folds(ours, theirs)
    assert (found.ours, found.theirs) == (pytest.approx(0.65), 0.5)
    assert found.where == "over the same 2 folds, each at its threshold"
    found = compare_on_folds(ours, contestant())
    assert (found.ours, found.where) == (pytest.approx(0.85), "over the same 2 folds at 0.5")
    assert compare_on_folds(contestant(), contestant()).where == "over the same 2 folds"
