import numpy as np
import pytest

from common.errors import UserError
from common.search.findings.candidates import difference, parse_candidates
from common.search.result import CandidateFailure
from tests.common.search.searches import result, text

LOW, HIGH = result({"maxDepth": 1, "stepSize": 0.1}, 0.80), result({"maxDepth": 3, "stepSize": 0.1}, 0.85)


def test_table_is_read_back_to_the_last_bit():
    candidates = parse_candidates(text([LOW, HIGH]))
    assert candidates.metric == "f1"
    assert candidates.best == {"maxDepth": 3, "stepSize": 0.1}
    assert candidates.varied == ["maxDepth"]
    assert candidates.folds.tolist() == [[fold["f1"] for fold in r.folds] for r in (HIGH, LOW)]


def test_failed_candidates_and_generations_are_read_back():
    failure = CandidateFailure({"maxDepth": 9, "stepSize": 0.1}, "no, it is\ntoo deep")
    drawn = {LOW.name: [0], HIGH.name: [0, 2, 2], failure.name: [1]}
    candidates = parse_candidates(text([LOW, HIGH], failures=[failure], generations=drawn))
    assert candidates.generations == [[0, 2, 2], [0]]
    assert candidates.failed.to_dict("records") == [
        {"maxDepth": 9, "stepSize": 0.1, "error": "no, it is\ntoo deep"}
    ]
    assert candidates.parameters["maxDepth"].tolist() == [3, 1]


def test_differences_are_taken_fold_by_fold():
    candidates = parse_candidates(
        text([result({"a": 1}, 0.80, [0.001, -0.001, 0, 0, 0.001]), result({"a": 2}, 0.85)])
    )
    behind = candidates.behind[1]
    by_fold = candidates.folds[0] - candidates.folds[1]
    assert behind.mean == pytest.approx(by_fold.mean())
    assert behind.error == pytest.approx(by_fold.std(ddof=1) / np.sqrt(5))
    assert behind.clear
    assert not candidates.behind[0].clear


@pytest.mark.parametrize(("folds", "bound"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262)])
def test_difference_is_clear_beyond_students_bound_for_so_many_folds(folds, bound):
    """Tabulated values of Student's t, two-sided 95%: far above the normal 1.96 for few folds."""
    chance = np.resize([1.0, -1.0], folds)
    chance = (chance - chance.mean()) / chance.std(ddof=1) * np.sqrt(folds)
    for sign in (1, -1):
        assert difference(chance + sign * bound * 1.001).clear
        assert not difference(chance + sign * bound * 0.999).clear
    found = difference(chance + 3)
    assert (found.mean, found.error) == (pytest.approx(3), pytest.approx(1))


def test_rounding_is_no_difference():
    assert not difference(np.full(5, 1e-13)).clear
    assert difference(np.full(5, 1e-11)).clear


def test_difference_by_rounding_alone_is_shown_as_none():
    by_rounding = np.array([1e-7, -2e-7, 3e-7])
    assert difference(by_rounding, 3e9).is_none
    assert not difference(by_rounding, 3e4).is_none
    assert not difference(np.array([1.0, -1.0]), 3e9).is_none


def test_lower_is_better_of_a_loss():
    candidates = parse_candidates(text([LOW, HIGH], metric="log_loss"))
    assert candidates.best["maxDepth"] == 1
    assert candidates.behind[1].mean == pytest.approx(0.05)


@pytest.mark.parametrize("given", ["", "a,b\n1,2\n", "maxDepth,val_f1,fit_seconds\n1,0.8,1\n"])
def test_other_tables_are_refused(given):
    with pytest.raises(UserError, match=r"x\.csv"):
        parse_candidates(given, "x.csv")


@pytest.mark.parametrize("change", [("0.81", "good"), ("0.81", ""), ("0.81", "inf")])
def test_score_that_is_no_number_is_one_line(change):
    table = text([result({"maxDepth": depth}, 0.81, noise=(0,) * 5) for depth in (3, 5)])
    assert change[0] in table
    with pytest.raises(
        UserError, match="mine.csv (is not a table of candidates|has a candidate without)"
    ):
        parse_candidates(table.replace(*change), "mine.csv")
