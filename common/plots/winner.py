"""The charts of a search's winner: its performance, overall and by stratum, and feature importance."""

import pandas as pd

from common.data.shares import percent
from common.data.target import Target
from common.learning.class_metrics import ClassTable
from common.learning.metrics import ScoreTable
from common.learning.number_metrics import NumberTable
from common.learning.tasks import Table
from common.learning.threshold import HALF
from common.plots.chart import BLUE, Bars, Chart, Panel
from common.plots.winner_binary import binary_charts
from common.plots.winner_classes import class_charts
from common.plots.winner_numbers import number_charts
from common.plots.winner_strata import strata_chart

# Number of columns that are shown.
COLUMNS = 15

# Names of the charts of all tasks, in the order shown.
WINNER_CHARTS = (
    *("confusion", "curves", "areas", "calibration", "threshold", "recall"),
    *("predicted", "errors", "tenths", "features", "strata"),
)


def winner_charts(
    train: Table,
    test: Table,
    target: Target,
    importance: pd.Series,
    strata: pd.DataFrame,
    label: str,
    threshold: float = HALF,
) -> list[Chart]:
    """Return all charts of a winner; those with nothing to show are left out.

    Args:
        train: Counts of its predictions on the training rows.
        test: Counts of its predictions on the test rows.
        target: What is predicted.
        importance: Share of each column, the most important first.
        strata: A row per stratum: the strata's columns, `rows`, and how it performs on them: for labels
            the share predicted correctly and, of two, the share predicted positive and the mean
            probability of the positive label; for a number the mean error and the mean absolute error.
        label: Name of the label's column.
        threshold: Of two labels, the probability above which the positive one is predicted.
    """
    charts = _performance(train, test, target, threshold)
    if importance.sum() > 0:
        charts.append(_importance(importance))
    if len(strata) > 1:
        charts.append(strata_chart(strata, target, label))
    return charts


def _performance(train: Table, test: Table, target: Target, threshold: float) -> list[Chart]:
    if isinstance(test, ClassTable):
        return class_charts(test, target.labels)
    if isinstance(test, NumberTable):
        return number_charts(test)
    assert isinstance(train, ScoreTable), "both sides are of one task"
    return binary_charts(train, test, target.labels, threshold)


def _importance(importance: pd.Series) -> Chart:
    shown = importance.head(COLUMNS)
    values = shown.to_numpy()
    labels = [str(name) for name in shown.index]
    bars = Bars(
        labels, 100 * values, [percent(value, 1) for value in values], colours=[BLUE] * len(labels)
    )
    left = len(importance) - len(shown)
    return Chart(
        "features",
        f"The model relies most on {labels[0]} ({percent(values[0])})",
        "Share of the total gain of the model's splits; for a random forest, the mean share over its "
        "trees; for a linear model, share of the standard deviation of what each column contributes. "
        "A column's one-hot features are combined."
        + (f" {left} less important columns are left out." if left else ""),
        [Panel("", "importance, %", "", [bars])],
        height=0.8 + 0.26 * len(labels),
    )
