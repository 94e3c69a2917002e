"""The chart of a winner's performance on each stratum, the worst first."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from common.data.shares import percent
from common.data.target import BINARY, MULTICLASS, REGRESSION, Target
from common.learning.metrics import shown_number
from common.plots.chart import BLUE, GREY, Bars, Chart, Panel
from common.plots.interval import interval
from common.plots.shown import and_alike, first_red, shortened

# Number of strata that are shown, and of characters of the name of one.
STRATA, LONGEST = 16, 44

Measures = Sequence[np.ndarray]


def strata_chart(strata: pd.DataFrame, target: Target, label: str) -> Chart:
    """Return the chart.

    Args:
        strata: A row per stratum, at least two; see `winner_charts`.
        target: What is predicted.
        label: Name of the label's column, which need not be one of the strata's.
    """
    # A column of the data set may also be called rows: the measures begin with the last one.
    columns = len(strata.columns) - 1 - list(strata.columns)[::-1].index("rows")
    measures = [strata.iloc[:, place].to_numpy(float) for place in range(columns, strata.shape[1])]
    groups = strata.iloc[:, :columns]
    # Other columns may have the same values, such as yes and no.
    own = label if label in groups else None
    return BY_TASK[target.task](groups, measures, target.labels, own)


def _of_two(groups: pd.DataFrame, measures: Measures, labels: Sequence[str], label: str | None) -> Chart:
    rows, right, positive, _ = measures
    said = _predicted_share(groups, rows, positive * rows, labels, label)
    return _right(groups, rows, right, label, [said] if said else [])


def _of_several(groups: pd.DataFrame, measures: Measures, _: Sequence[str], label: str | None) -> Chart:
    rows, right = measures
    return _right(groups, rows, right, label, [])


def _right(
    groups: pd.DataFrame, rows: np.ndarray, right: np.ndarray, label: str | None, more: list[Panel]
) -> Chart:
    names = _names(groups)
    low, high = interval(right * rows, rows)
    worst = np.argsort(right, kind="stable")[:STRATA]
    texts = [f"{percent(right[n], 1)} of {rows[n]:,.0f}" for n in worst]
    shares = [100 * values[worst] for values in (right, low, high)]
    bars = Bars([names[n] for n in worst], shares[0], texts, shares[1], shares[2], first_red(worst))
    return _chart(
        _served_worst(groups, right, label),
        f"Test rows by {', '.join(groups)}, the worst on top; bars: 95% confidence interval.",
        [Panel("Predicted correctly", "share of the stratum's rows, %", "", [bars]), *more],
        len(names),
    )


def _of_numbers(groups: pd.DataFrame, measures: Measures, _: Sequence[str], __: str | None) -> Chart:
    rows, error, absolute = measures
    names = _names(groups)
    worst = np.argsort(-absolute, kind="stable")[:STRATA]
    shown, colours = [names[n] for n in worst], first_red(worst)
    off = [f"{shown_number(absolute[n], 3)}, {rows[n]:,.0f} rows" for n in worst]
    leans = [shown_number(error[n], 3, signed=True) for n in worst]
    first, last = worst[0], int(np.argmin(absolute))
    title = f"Worst stratum: {names[first]}, off by {shown_number(absolute[first], 3)} on average"
    if last != first:
        title += f", against {shown_number(absolute[last], 3)} of {names[last]}"
    return _chart(
        title,
        f"Test rows by {', '.join(groups)}, the worst on top. Mean error: above 0, the predictions are "
        "too high.",
        [
            Panel(
                *("Mean absolute error", "mean of |predicted - true|", ""),
                [Bars(shown, absolute[worst], off, colours=colours)],
            ),
            Panel(
                *("Mean error", "mean of predicted - true", ""),
                [Bars(shown, error[worst], leans, colours=colours)],
            ),
        ],
        len(names),
    )


BY_TASK: dict[str, Callable[[pd.DataFrame, Measures, Sequence[str], str | None], Chart]] = {
    BINARY: _of_two,
    MULTICLASS: _of_several,
    REGRESSION: _of_numbers,
}


def _chart(title: str, note: str, panels: list[Panel], strata: int) -> Chart:
    left = f" {strata - STRATA} better strata are left out." if strata > STRATA else ""
    height = 0.9 + 0.33 * max(min(strata, STRATA), 3)
    return Chart("strata", title, note + left, panels, columns=2, height=height)


def _names(groups: pd.DataFrame) -> list[str]:
    return shortened([", ".join(map(str, row)) for row in groups.itertuples(index=False)], LONGEST)


def _served_worst(groups: pd.DataFrame, right: np.ndarray, label: str | None) -> str:
    """Name the worst stratum, and the best among those with the same label."""
    names = _names(groups)
    worst = int(np.argmin(right))
    peers = groups[label] == groups[label].iloc[worst] if label else np.full(len(groups), True)
    best = int(np.argmax(np.where(peers, right, -1)))
    alike = and_alike(names, right, worst, "strata")
    text = f"Worst {'stratum' if alike == names[worst] else 'strata'}: {alike}, "
    text += f"{percent(right[worst])} predicted correctly"
    differ = right[best] != right[worst]
    return text + (f", against {percent(right[best])} of {names[best]}" if differ else "")


def _predicted_share(
    groups: pd.DataFrame,
    rows: np.ndarray,
    positive: np.ndarray,
    labels: Sequence[str],
    label: str | None,
) -> Panel | None:
    """Return a panel of the predicted and true share of the positive label in each group.

    Returns:
        The panel; None unless the strata include the label and at least one other column.
    """
    others = [name for name in groups if name != label]
    if label is None or not others:
        return None
    table = groups[others].astype(str).agg(", ".join, axis=1).to_frame("group")
    table["rows"], table["said"] = rows, positive
    table["are"] = table["rows"].where(groups[label] == labels[1], 0)
    sums = table.groupby("group").sum().head(STRATA // 2)
    shown = [
        (f"{group}: {what}", 100 * sums.loc[group, key] / sums.loc[group, "rows"], colour)
        for group in sums.index
        for what, key, colour in (("true", "are", GREY), ("predicted", "said", BLUE))
    ]
    names, values, colours = zip(*shown, strict=True)
    bars = Bars(names, values, [percent(value / 100, 1) for value in values], colours=colours)
    return Panel(f"{labels[1]} by {', '.join(others)}", f"share of {labels[1]}, %", "", [bars])
