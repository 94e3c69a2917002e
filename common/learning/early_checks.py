"""What a search would refuse, found before anything is fitted: by the task, and by the training rows."""

from collections.abc import Mapping

from common.data.target import BINARY, REGRESSION
from common.errors import UserError
from common.learning.learners import LEARNERS, Learner
from common.learning.prepare import IMPUTE, NATIVE

# Left out once, a label with a single row could not be learnt at all.
LEAST_OF_A_LABEL = 2


def check_settings(
    learner: Learner, task: str, missing: str, balance: bool, threshold: float | None = None
) -> None:
    """Refuse settings of a search that do not go together.

    Args:
        learner: The learner.
        task: What is predicted.
        missing: What becomes of missing numbers.
        balance: Whether labels weigh the same in total.
        threshold: The probability above which the positive of two labels is predicted, if one was given.

    Raises:
        UserError: They do not.
    """
    if threshold is not None and task != BINARY:
        raise UserError(
            f"threshold={threshold:g} is for two labels, and the task is {task}: leave it out"
        )
    if balance and task == REGRESSION:
        raise UserError("balance=true weighs labels, and the task is regression: leave it out")
    if missing == NATIVE and not learner.takes_missing:
        others = [one.name for one in LEARNERS.values() if one.takes_missing and task in one.fittings]
        raise UserError(
            f"learner {learner.name!r} does not take missing={NATIVE}: give missing={IMPUTE}, or "
            f"learner={' or '.join(others)}"
        )


def check_labels(labels: Mapping[str, int]) -> None:
    """Refuse labels that cannot be learnt from the training rows of a split.

    Args:
        labels: Number of training rows of each label.

    Raises:
        UserError: A label has too few.
    """
    for label, rows in labels.items():
        if rows < LEAST_OF_A_LABEL:
            are = "row" if rows == 1 else "rows"
            raise UserError(
                f"label {label!r} has {rows} training {are}, and each needs at least {LEAST_OF_A_LABEL}: "
                "leave its rows out of the source, merge it with another label, or give other strata or "
                "another train_ratio"
            )


def check_folds(folds: int, task: str, rows: int, rarest: int) -> None:
    """Refuse more folds than the training rows have.

    Args:
        folds: Number of folds.
        task: What is predicted.
        rows: Number of training rows.
        rarest: Number of those with the rarest label; of a number, of all.

    Raises:
        UserError: There are too many.
    """
    most, what = rows, "the number of training rows"
    if task == BINARY:
        most, what = rarest, "the number of training rows with the rarer label"
    elif task == REGRESSION:
        most, what = rows // 2, "half of the training rows"
    if not 2 <= folds <= most:
        if most < 2:
            raise UserError(
                f"folds need 2 or more, but {most} is {what}: give a larger train_ratio, or fewer strata"
            )
        raise UserError(f"folds must lie between 2 and {most}, {what}; got {folds}")
