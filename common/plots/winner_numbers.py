"""The charts of a winner that predicts a number: predicted against true, errors, errors by size."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from common.learning.metrics import equal_parts, shown_number, shown_score
from common.learning.number_metrics import NumberTable, number_scores, weighted_quantiles
from common.plots.chart import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    Bars,
    Cells,
    Chart,
    Layer,
    Line,
    Mark,
    Panel,
    Points,
)

# Up to this many rows each is a dot, more are counted in cells: their number along an axis.
DOTS, CELLS = 400, 48
# Number of parts of equal rows, and the fewest rows in one.
PARTS, LEAST = 10, 5
# Outliers beyond the axes: rows outside these shares, if the axes would be longer by this factor.
SHARES, FACTOR = (0.005, 0.995), 1.6
# Share of the axes' length beside the outermost numbers.
MARGIN = 0.04


def number_charts(test: NumberTable) -> list[Chart]:
    """Return the charts; the errors by size are left out if few rows, or equal ones, make one part.

    Args:
        test: Counts of its predictions on the test rows.
    """
    charts = [_predicted(test), _errors(test)]
    order, part = _in_parts(test.label, test.count)
    if part[-1] > part[0]:
        charts.append(_tenths(test, order, part))
    return charts


@dataclass(frozen=True)
class _Axis:
    """The range of an axis, with the number of rows that lie outside it."""

    low: float
    high: float

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def holds(self, values: np.ndarray) -> np.ndarray:
        return (values >= self.low) & (values <= self.high)


def _axis(values: np.ndarray, count: np.ndarray) -> _Axis:
    """Return a range with all numbers, or without the outliers that would make it much longer."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = weighted_quantiles(values, count, SHARES)
    if high - low > FACTOR * (inner_high - inner_low) > 0:
        room = (FACTOR - 1) / 2 * (inner_high - inner_low)
        low, high = max(low, inner_low - room), min(high, inner_high + room)
    room = MARGIN * (high - low) or 0.5 * abs(low) or 0.5
    return _Axis(low - room, high + room)


def _predicted(test: NumberTable) -> Chart:
    both = np.concatenate([test.label, test.prediction])
    axis = _axis(both, np.concatenate([test.count, test.count]))
    found = number_scores(test)
    words = [f"true {t:,.6g}, predicted {p:,.6g}" for t, p in zip(*_few(test), strict=True)]
    dots = _dots(test, axis, axis, test.label, test.prediction, words)
    half, rmse = (shown_number(found[name], 3) for name in ("median_absolute_error", "rmse"))
    explained = f", r2 {shown_score('r2', found['r2'], 3)}" if np.isfinite(found["r2"]) else ""
    diagonal = Line(axis.ends, axis.ends, "perfect", GREY, dashed=True)
    shown = axis.holds(test.label) & axis.holds(test.prediction)
    return Chart(
        "predicted",
        f"Half of the predictions are off by at most {half}; rmse {rmse}{explained}",
        f"{test.count.sum():,.0f} test rows{_colours(test)}. Dashed: predicted is true."
        + _beyond(test, shown),
        [Panel("", "true", "predicted", [dots, diagonal], x_range=axis.ends, y_range=axis.ends)],
        height=4.6,
    )


def _errors(test: NumberTable) -> Chart:
    error = test.prediction - test.label
    mean = float(np.average(error, weights=test.count))
    shares = (0.05, 0.25, 0.75, 0.95)
    ends = [shown_number(end, 2) for end in weighted_quantiles(error, test.count, shares)]
    axis, across = _axis(error, test.count), _axis(test.prediction, test.count)
    shown = axis.holds(error) & across.holds(test.prediction)
    return Chart(
        "errors",
        f"Errors are {shown_number(mean, 2, signed=True)} on average; half lie between {ends[1]} and "
        f"{ends[2]}, 90% between {ends[0]} and {ends[3]}",
        f"Error: predicted - true, on {test.count.sum():,.0f} test rows. Left: distribution. Right: by "
        f"prediction{_colours(test)}; orange: the median and the quartiles of rows with about the same "
        "prediction." + _beyond(test, shown),
        [_distribution(test, error, axis, mean), _by_prediction(test, error, axis, across)],
        columns=2,
        height=3.8,
    )


def _distribution(test: NumberTable, error: np.ndarray, axis: _Axis, mean: float) -> Panel:
    bins = int(np.clip(np.sqrt(test.count.sum()), 5, CELLS))
    rows, edges = np.histogram(error, bins, axis.ends, weights=test.count)
    steps = Line(np.repeat(edges, 2), np.concatenate([[0], np.repeat(rows, 2), [0]]), fill=True)
    text = f"mean {shown_number(mean, 2, signed=True)}"
    layers: list[Layer] = [steps, Mark(0, "", GREY)]
    if axis.holds(np.array(mean)):
        layers.append(Mark(mean, text, RED, left=mean < 0))
    return Panel("Distribution", "error", "rows", layers, x_range=axis.ends)


def _by_prediction(test: NumberTable, error: np.ndarray, axis: _Axis, across: _Axis) -> Panel:
    words = [f"predicted {p:,.6g}, error {p - t:+,.6g}" for t, p in zip(*_few(test), strict=True)]
    order, part = _in_parts(test.prediction, test.count)
    middle, quarters = [], []
    for number in np.unique(part):
        rows = order[part == number]
        middle.append(np.average(test.prediction[rows], weights=test.count[rows]))
        quarters.append(weighted_quantiles(error[rows], test.count[rows], (0.25, 0.5, 0.75)))
    low, median, high = np.transpose(quarters)
    layers: list[Layer] = [
        _dots(test, across, axis, test.prediction, error, words),
        Line(across.ends, (0, 0), "", GREY, dashed=True),
        Line(middle, median, "median", ORANGE, dots=True, low=low, high=high),
    ]
    return Panel("By prediction", "predicted", "error", layers, x_range=across.ends, y_range=axis.ends)


def _tenths(test: NumberTable, order: np.ndarray, part: np.ndarray) -> Chart:
    names, rows, mean, error = [], [], [], []
    for number in np.unique(part):
        of = order[part == number]
        count = test.count[of].sum()
        names.append(_span(test.label[of].min(), test.label[of].max()))
        rows.append(count)
        mean.append(test.absolute[of].sum() / count)
        spread = max(test.squared[of].sum() / count - mean[-1] ** 2, 0)
        # Of few rows the interval is Student's; a part may have five.
        error.append(special.stdtrit(max(count - 1, 1), 0.975) * np.sqrt(spread / max(count - 1, 1)))
    means, errors = np.array(mean), np.array(error)
    most, least = int(means.argmax()), int(means.argmin())
    texts = [f"{shown_number(m, 3)}, {n:,.0f} rows" for m, n in zip(mean, rows, strict=True)]
    colours = [RED if place == most else BLUE for place in range(len(names))]
    bars = Bars(names, means, texts, np.maximum(means - errors, 0), means + errors, colours)
    return Chart(
        "tenths",
        f"A true number of {names[most]} is missed by {shown_number(means[most], 3)} on average, one of "
        f"{names[least]} by {shown_number(means[least], 3)}",
        "Test rows by true number, in parts of about equally many rows; bars: 95% confidence interval of "
        "the mean.",
        [Panel("", "mean absolute error", "true number", [bars])],
        height=0.8 + 0.3 * max(len(names), 3),
    )


def _in_parts(values: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of values, and the part of each in that order; equal values are in one part."""
    order = np.argsort(values, kind="stable")
    parts = int(np.clip(count.sum() // LEAST, 1, PARTS))
    return order, equal_parts(values[order], count[order], parts)


def _span(low: float, high: float) -> str:
    return _brief(low) if low == high else f"{_brief(low)} to {_brief(high)}"


def _brief(number: float) -> str:
    text = shown_number(number)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _few(test: NumberTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the true and the predicted numbers if each has a dot; else none."""
    kept = slice(None) if _is_few(test) else slice(0, 0)
    return test.label[kept], test.prediction[kept]


def _is_few(test: NumberTable) -> bool:
    return len(test.count) <= DOTS


def _colours(test: NumberTable) -> str:
    return ", a dot each" if _is_few(test) else ", the yellower the more rows, on a log scale"


def _dots(
    test: NumberTable,
    across: _Axis,
    up: _Axis,
    x: np.ndarray,
    y: np.ndarray,
    words: list[str],
) -> Layer:
    if _is_few(test):
        return Points(x, y, words, "test row", BLUE, 4.5)
    ends = across.ends, up.ends
    rows, *_ = np.histogram2d(y, x, CELLS, ends[::-1], weights=test.count)
    shade = np.log10(rows, out=np.full_like(rows, np.nan), where=rows > 0)
    texts = [[f"{n:,.0f} rows" if n else "" for n in line] for line in rows]
    return Cells(shade, texts, (0.0, float(max(np.log10(rows.max()), 1))), ends=ends)


def _beyond(test: NumberTable, shown: np.ndarray) -> str:
    left = test.count[~shown].sum()
    lie = "row lies" if left == 1 else "rows lie"
    return f" {left:,.0f} {lie} beyond the axes." if left else ""
