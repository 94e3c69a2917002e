"""What a search would refuse is refused before anything is fitted, in the search's own words."""

import pytest

from common.errors import UserError
from common.learning.early_checks import check_folds, check_labels, check_settings
from common.learning.learners import LEARNERS


@pytest.mark.parametrize(
    ("learner", "task", "missing", "balance", "message"),
    [
        ("gbt", "regression", "impute", True, "balance=true weighs labels, and the task is regression"),
        (
            "gbt",
            "binary",
            "native",
            False,
            "learner 'gbt' does not take missing=native: give missing=impute",
        ),
        ("random_forest", "multiclass", "native", True, "or learner=xgboost"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(learner, task, missing, balance, message):
    with pytest.raises(UserError, match=message):
        check_settings(LEARNERS[learner], task, missing, balance)


@pytest.mark.parametrize("learner", LEARNERS)
def test_settings_that_go_together_are_taken(learner):
    chosen = LEARNERS[learner]
    for task in chosen.fittings:
        check_settings(chosen, task, "native" if chosen.takes_missing else "impute", task != "regression")


def test_label_of_one_training_row_is_refused():
    check_labels({})
    check_labels({"no": 2, "yes": 200})
    with pytest.raises(UserError, match=r"label 'yes' has 1 training row, and each needs at least 2"):
        check_labels({"no": 200, "yes": 1})
    with pytest.raises(UserError, match=r"label 'no' has 0 training rows"):
        check_labels({"no": 0, "yes": 0})


@pytest.mark.parametrize(
    ("task", "rows", "rarest", "most"),
    [("binary", 280, 4, 4), ("multiclass", 8, 2, 8), ("regression", 9, 9, 4)],
)
def test_folds_are_bounded_by_what_each_fold_needs(task, rows, rarest, most):
    for folds in (2, most):
        check_folds(folds, task, rows, rarest)
    with pytest.raises(UserError, match=rf"folds must lie between 2 and {most}, .*; got {most + 1}"):
        check_folds(most + 1, task, rows, rarest)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_threshold_is_refused_where_there_are_not_two_labels(task):
    with pytest.raises(UserError, match=f"threshold=0.3 is for two labels, and the task is {task}"):
        check_settings(LEARNERS["random_forest"], task, "impute", False, 0.3)
    check_settings(LEARNERS["random_forest"], "binary", "impute", False, 0.3)
    check_settings(LEARNERS["random_forest"], task, "impute", False)
