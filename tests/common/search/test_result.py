import pytest

from common.errors import UserError
from common.learning.metrics import METRICS
from common.search.findings.candidates import parse_candidates
from common.search.result import (
    CandidateFailure,
    CandidateResult,
    candidate_name,
    candidates_table,
    ranked,
    told_failures,
)


def candidate(depth, *values):
    folds = tuple(dict.fromkeys(METRICS, value) for value in values)
    return CandidateResult({"maxDepth": depth}, folds, 1.0)


def test_best_has_the_highest_mean_or_the_lowest_loss():
    low, high = candidate(1, 0.1, 0.3), candidate(2, 0.3, 0.5)
    assert ranked([low, high], "f1")[0] is high
    assert ranked([low, high], "log_loss")[0] is low


def test_best_of_equals_does_not_depend_on_their_order():
    one, two = candidate(1, 0.5), candidate(2, 0.5)
    assert ranked([one, two], "f1")[0] is ranked([two, one], "f1")[0]


def test_winner_is_the_maximum_of_many_candidates_whatever_their_order():
    values = [0.5, 0.9, 0.1, 0.7, 0.3, 0.8]
    for turn in range(len(values)):
        order = values[turn:] + values[:turn]
        results = [candidate(place, value, value) for place, value in enumerate(order)]
        means = [one.mean("f1") for one in ranked(results, "f1")]
        assert means == sorted(values, reverse=True)
        losses = [one.mean("log_loss") for one in ranked(results, "log_loss")]
        assert losses == sorted(values)


def test_equals_stand_by_name():
    results = [candidate(depth, 0.5) for depth in (3, 1, 2)]
    for metric in ("f1", "log_loss"):
        assert [one.parameters["maxDepth"] for one in ranked(results, metric)] == [1, 2, 3]


def test_mean_and_deviation_are_over_the_folds_of_one_metric():
    folds = ({**dict.fromkeys(METRICS, 0.0), "f1": 0.2}, {**dict.fromkeys(METRICS, 0.0), "f1": 0.6})
    result = CandidateResult({}, folds, 1.0)
    assert (result.mean("f1"), result.std("f1")) == (pytest.approx(0.4), pytest.approx(0.2))
    assert (result.mean("accuracy"), result.std("accuracy")) == (0, 0)


def test_metric_without_a_value_on_some_fold_ranks_nothing_and_is_left_out():
    folds = ({"rmse": 1.0, "r2": 0.5}, {"rmse": 2.0, "r2": float("nan")})
    result = CandidateResult({"maxDepth": 3}, folds, 1.0)
    assert result.metrics == ["rmse"]
    assert "r2" not in "".join(candidates_table([result], "rmse").columns)
    with pytest.raises(UserError, match="metric 'r2' has no value on the rows of fold 1, as r2 where"):
        ranked([result], "r2")


def test_name_is_the_parameters_on_a_line_by_their_names():
    assert candidate_name({"b": 2, "a": 0.1}) == "a=0.1 b=2"
    assert CandidateResult({"b": 2, "a": 0.1}, (), 0.0).name == "a=0.1 b=2"
    assert CandidateFailure({"b": 2, "a": 0.1}, "no").name == "a=0.1 b=2"


def test_seconds_are_told_to_a_thousandth():
    (row,) = candidates_table([CandidateResult({}, candidate(1, 0.5).folds, 1.23456)], "f1").to_dict(
        "records"
    )
    assert row["fit_seconds"] == 1.235
    assert "generations" not in row
    assert "error" not in row


def test_failed_candidates_stand_last_with_their_error():
    failures = [CandidateFailure({"maxDepth": depth}, "no") for depth in (9, 8)]
    drawn = {"maxDepth=1": [0, 1], "maxDepth=8": [1], "maxDepth=9": [2]}
    table = candidates_table([candidate(1, 0.1, 0.3)], "f1", failures, drawn)
    assert list(table["maxDepth"]) == [1, 8, 9]
    assert list(table["error"].isna()) == [True, False, False]
    assert list(table["generations"]) == ["0 1", "1", "2"]


def test_table_has_each_folds_score_of_the_metric_that_ranks():
    table = candidates_table([candidate(1, 0.1, 0.3)], "roc_auc")
    folds = [name for name in table.columns if "_fold_" in name]
    assert folds == ["val_roc_auc_fold_0", "val_roc_auc_fold_1"]
    assert table[folds].to_numpy().tolist() == [[0.1, 0.3]]


def test_table_has_a_row_a_candidate_best_first():
    table = candidates_table([candidate(1, 0.1, 0.3), candidate(2, 0.3, 0.5)], "f1")
    assert list(table["maxDepth"]) == [2, 1]
    assert list(table["val_f1"]) == [0.4, 0.2]
    assert list(table["val_f1_std"].round(6)) == [0.1, 0.1]
    assert {f"val_{metric}" for metric in METRICS} <= set(table.columns)


def raced(learner, parameters, value, trees=None):
    folds = (dict.fromkeys(METRICS, value - 0.01), dict.fromkeys(METRICS, value + 0.01))
    return CandidateResult({"learner": learner, **parameters}, folds, 1.0, trees=trees)


RACE = [
    raced("logistic_regression", {"regParam": 0.1}, 0.7),
    raced("gbt", {"maxDepth": 5, "maxIter": 50}, 0.8),
    raced("xgboost", {"max_depth": 6, "subsample": 1.0}, 0.9, trees=31),
    raced("xgboost", {"max_depth": 4, "subsample": 0.5}, 0.85, trees=90),
]
FAILED = [
    CandidateFailure({"learner": "gbt", "maxDepth": 9}, "x"),
    CandidateFailure({"learner": "xgboost", "max_depth": 2}, "y"),
]


def test_table_of_a_race_has_whole_numbers_where_other_learners_have_none():
    text = candidates_table(RACE, "f1", FAILED).to_csv(index=False)
    rows = [line.split(",") for line in text.splitlines()]
    columns = ["learner", "max_depth", "subsample", "maxDepth", "maxIter", "regParam"]
    assert rows[0][:6] == columns
    assert rows[0][-3:] == ["fit_seconds", "trees", "error"]
    assert rows[1][:6] == ["xgboost", "6", "1.0", "", "", ""]
    assert rows[1][-2:] == ["31", ""]
    assert rows[3][:6] == ["gbt", "", "", "5", "50", ""]
    assert rows[5][0] == "gbt"
    assert rows[5][-1] == "x"


def test_race_is_read_back_as_the_candidates_of_the_best_learner():
    drawn = {RACE[2].name: [0, 1], RACE[3].name: [1]}
    text = candidates_table(RACE, "f1", FAILED, drawn).to_csv(index=False)
    read = parse_candidates(text)
    assert read.names == ["max_depth=6 subsample=1.0", "max_depth=4 subsample=0.5"]
    assert read.best == {"max_depth": 6, "subsample": 1.0}
    assert isinstance(read.best["max_depth"], int)
    assert read.generations == [[0, 1], [1]]
    assert read.failed.to_dict("records") == [{"max_depth": 2, "subsample": nothing, "error": "y"}]
    assert [(one.learner, one.candidates, one.best) for one in read.learners] == [
        ("xgboost", 2, pytest.approx(0.9)),
        ("gbt", 1, pytest.approx(0.8)),
        ("logistic_regression", 1, pytest.approx(0.7)),
    ]


nothing = pytest.approx(float("nan"), nan_ok=True)


@pytest.mark.parametrize(
    ("count", "left", "said"),
    [
        (1, 3, "1 candidate failed (a=0) with: E"),
        (2, 3, "2 candidates failed, the first (a=0) with: E"),
        (1, 0, "the only candidate failed (a=0) with: E"),
        (2, 0, "both candidates failed, the first (a=0) with: E"),
        (3, 0, "all 3 candidates failed, the first (a=0) with: E"),
    ],
)
def test_failures_are_told_in_the_number_that_they_have(count, left, said):
    failures = [CandidateFailure({"a": place}, "E") for place in range(count)]
    assert told_failures(failures, "E", left) == said
