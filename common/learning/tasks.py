"""The three tasks, binary, multiclass and regression: the metrics of each, and the score of guessing.

All that asks which task a data set has, for its scores, asks here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.errors import UserError
from common.learning import metrics as binary
from common.learning.class_metrics import CLASS_METRICS, ClassTable, class_guess, class_scores
from common.learning.metrics import METRICS, ScoreTable
from common.learning.number_metrics import NUMBER_METRICS, NumberTable, number_guess, number_scores

AUTO = "auto"

Table = ScoreTable | ClassTable | NumberTable


@dataclass(frozen=True)
class Labels:
    """The labels of some rows: for classes the number of rows of each, for a number each value's.

    Attributes:
        task: The task.
        values: Index of each label, 0 to k - 1; for regression the distinct numbers.
        count: Number of rows of each.
    """

    task: str
    values: np.ndarray
    count: np.ndarray

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.count.sum())


@dataclass(frozen=True)
class Task:
    """What is predicted: one of two labels, one of several, or a number.

    Attributes:
        name: BINARY, MULTICLASS or REGRESSION.
        metrics: Names of its metrics; they are logged with the prefixes val_, train_ and test_.
        default: The metric that ranks candidates unless another is asked for.
        shown: The metrics that are printed.
        loss: The metric by whose value over the folds boosting stops.
        guess: Scores of a baseline that knows only the labels of some rows.
    """

    name: str
    metrics: tuple[str, ...]
    default: str
    shown: tuple[str, ...]
    loss: str
    guess: Callable[[Labels], dict[str, float]]


TASKS = {
    task.name: task
    for task in (
        Task(
            BINARY,
            METRICS,
            binary.DEFAULT_METRIC,
            ("roc_auc", "f1", "accuracy"),
            "log_loss",
            lambda labels: binary.guess_scores(labels.count),
        ),
        # Unlike accuracy, log loss needs no threshold and tells a sure answer from a lucky one.
        Task(
            MULTICLASS,
            CLASS_METRICS,
            "log_loss",
            ("log_loss", "accuracy", "f1_macro"),
            "log_loss",
            lambda labels: class_guess(labels.count),
        ),
        Task(
            REGRESSION,
            NUMBER_METRICS,
            "rmse",
            ("rmse", "mae", "r2"),
            "rmse",
            lambda labels: number_guess(labels.values, labels.count),
        ),
    )
}
ALL_METRICS = tuple(dict.fromkeys(name for task in TASKS.values() for name in task.metrics))


def find_metric(metric: str, task: str) -> str:
    """Return the metric to rank candidates by.

    Args:
        metric: The name of a metric; AUTO for the task's default.
        task: The task.

    Raises:
        UserError: The task does not have this metric.
    """
    if metric == AUTO:
        return TASKS[task].default
    if metric not in TASKS[task].metrics:
        raise UserError(
            f"metric of task {task} must be one of {', '.join(TASKS[task].metrics)}, got {metric!r}"
        )
    return metric


def scores(table: Table) -> dict[str, float]:
    """Compute all metrics of a table's task."""
    if isinstance(table, ClassTable):
        return class_scores(table)
    return number_scores(table) if isinstance(table, NumberTable) else binary.scores(table)


def labels_of(table: Table) -> Labels:
    """Return the true labels of a table's rows."""
    if isinstance(table, ClassTable):
        return Labels(MULTICLASS, np.arange(len(table.confusion)), table.confusion.sum(axis=1))
    if isinstance(table, NumberTable):
        return Labels(REGRESSION, table.label, table.count)
    return Labels(BINARY, np.arange(2), binary.label_counts(table))


def guess_scores(labels: Labels) -> dict[str, float]:
    """Compute the metrics of a baseline that knows only the labels of some rows.

    It predicts the most frequent label with the labels' shares as probabilities, or the mean number.
    """
    return TASKS[labels.task].guess(labels)


def shown_scores(task: str, found: Mapping[str, float], guess: Mapping[str, float]) -> str:
    """Format the metrics that matter most, each with the score of guessing."""
    known = [name for name in TASKS[task].shown if name in found and name in guess]
    return ", ".join(binary.told(name, found, guess) for name in known)
