"""The charts of a winner that predicts one of two labels: its errors, curves, calibration, threshold."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from common.data.shares import percent, shown_probability
from common.learning.curves import Thresholds
from common.learning.metrics import ScoreTable, calibration, confusion, scores, shown_score, thresholds
from common.plots.chart import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    Cells,
    Chart,
    Layer,
    Line,
    Mark,
    Panel,
    Points,
)
from common.plots.interval import interval

# Number of points of a curve.
CURVE = 400
# Width of the longest text beside a mark, as a share of its panel.
TEXT = 0.35


def binary_charts(
    train: ScoreTable, test: ScoreTable, labels: Sequence[str], threshold: float
) -> list[Chart]:
    """Return the charts; the curves are left out unless both labels occur in the test rows.

    Args:
        train: Counts of its predictions on the training rows.
        test: Counts of its predictions on the test rows.
        labels: Names of label 0 and of label 1, the positive one.
        threshold: The probability above which label 1 is predicted.
    """
    charts = [_confusion(test, labels, threshold)]
    found = thresholds(test)
    if 0 < found.base_rate < 1:
        charts += [_curves(test, found, threshold), _calibration(test, labels)]
        charts.append(_threshold(train, found, labels, threshold))
    return charts


def _confusion(test: ScoreTable, labels: Sequence[str], threshold: float) -> Chart:
    counts = confusion(test)
    of_label = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of_label, out=np.zeros_like(counts), where=of_label > 0)
    texts = [
        [
            f"{counts[true, said]:,.0f}\n{percent(shares[true, said], 1)} of {labels[true]}"
            for said in (0, 1)
        ]
        for true in (0, 1)
    ]
    said = counts[:, 1].sum()
    right = (
        f"{percent(counts[1, 1] / said)} of positive predictions are correct"
        if said
        else "none is predicted"
    )
    cells = Cells(shares, texts, (0.0, 1.0))
    return Chart(
        "confusion",
        f"{percent(shares[1, 1])} of {labels[1]} are found; {right}",
        f"{counts.sum():,.0f} test rows, threshold {threshold:g}. Yellow: a large share of the true "
        "label's rows.",
        [Panel("", "predicted", "true", [cells], x_ticks=labels, y_ticks=labels)],
    )


def _few(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, CURVE).astype(int))


def _curves(test: ScoreTable, found: Thresholds, threshold: float) -> Chart:
    few, areas = _few(len(found.probability)), scores(test)
    above = int(np.searchsorted(-found.probability, -threshold, side="left"))
    at = slice(above - 1, above) if above else slice(0, 0)
    # The point is that of the lowest probability above the threshold, which is another number.
    words = [f"threshold {threshold:g}"][:above]
    rate = found.base_rate
    points: dict[str, Any] = {"name": f"threshold {threshold:g}", "colour": ORANGE, "size": 8}
    roc: list[Layer] = [
        Line([0, 1], [0, 1], "chance", GREY, dashed=True),
        Line(np.append(0, found.fallout[few]), np.append(0, found.recall[few]), "this model"),
        Points(found.fallout[at], found.recall[at], words, **points),
    ]
    curve: list[Layer] = [
        Line([0, 1], [rate, rate], f"base rate {shown_probability(rate)}", GREY, dashed=True),
        Line(found.recall[few], found.precision[few], "this model"),
        Points(found.recall[at], found.precision[at], words, **points),
    ]
    ends: dict[str, Any] = {"x_range": (-0.01, 1.01), "y_range": (-0.01, 1.01)}
    panels = [
        Panel("ROC", "false positive rate", "recall", roc, legend="lower right", **ends),
        Panel("Precision and recall", "recall", "precision", curve, legend="lower left", **ends),
    ]
    area, of_pairs = (shown_score(name, areas[name], 3) for name in ("roc_auc", "pr_auc"))
    return Chart(
        "curves",
        f"ROC area {area}; precision-recall area {of_pairs} for a base rate of {shown_probability(rate)}",
        "Test rows. Base rate: the share of positive rows, which is the precision of random guessing.",
        panels,
        columns=2,
        height=4.2,
    )


def _calibration(test: ScoreTable, labels: Sequence[str]) -> Chart:
    parts = calibration(test)
    count, said, seen = parts.count, parts.said, parts.seen
    low, high = interval(seen * count, count)
    off = np.abs(said - seen)
    worst, mean = int(off.argmax()), float(np.average(off, weights=count))
    words = [
        f"{n:,.0f} rows: predicted {shown_probability(s)}, observed {shown_probability(o)}"
        for n, s, o in zip(count, said, seen, strict=True)
    ]
    layers: list[Layer] = [
        Line([0, 1], [0, 1], "perfect", GREY, dashed=True),
        Line(said, seen, low=low, high=high),
        Points(said, seen, words, "bin of rows", BLUE, 8),
    ]
    positive = labels[1]
    axes = f"mean predicted probability of {positive}", f"observed share of {positive}"
    return Chart(
        "calibration",
        f"Predicted and observed differ by {shown_probability(mean)} on average, most "
        f"where {shown_probability(said[worst], seen[worst])} was predicted: "
        f"{shown_probability(seen[worst], said[worst])} observed",
        f"Test rows in {len(count)} bins of {_from_to(count)} rows, by probability of {positive}. "
        "Dashed: perfect calibration; bars: 95% confidence interval of the observed share.",
        [Panel("", *axes, layers, legend="upper left")],
        height=4.2,
    )


def _from_to(count: np.ndarray) -> str:
    # Equal probabilities are in one bin, so bins may differ much.
    low, high = count.min(), count.max()
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def _threshold(train: ScoreTable, found: Thresholds, labels: Sequence[str], threshold: float) -> Chart:
    fitted = thresholds(train)
    panels, said = [], ""
    names = ("F1 weighted by label", f"F1 of {labels[1]}")
    f1s = zip(names, fitted.f1, found.f1, found.f1_of_none, strict=True)
    for name, on_train, on_test, of_none in f1s:
        best = float(fitted.probability[int(np.argmax(on_train))])
        then = _at(found.probability, on_test, of_none, best, "right")
        now = _at(found.probability, on_test, of_none, threshold, "left")
        then_shown, now_shown = (shown_score("f1", value) for value in (then, now))
        few, few_train = _few(len(on_test)), _few(len(on_train))
        there = shown_probability(best, threshold) if best != threshold else f"{threshold:g}"
        layers: list[Layer] = [
            Line(found.probability[few], on_test[few], "test rows"),
            Line(fitted.probability[few_train], on_train[few_train], "training rows", GREY, dashed=True),
            *_marks(
                (best, f"best on the training rows\n{there}: {then_shown} on test", RED),
                (threshold, f"threshold in use\n{threshold:g}: {now_shown} on test", GREEN),
            ),
        ]
        said = f"{names[1]} on the test rows: {now_shown} at {threshold:g}, {then_shown} at {there}"
        panels.append(
            Panel(name, "probability threshold", "F1", layers, x_range=(0, 1), legend="upper right")
        )
    return Chart(
        "threshold",
        said,
        "Red: the best threshold on the training rows. The model was fitted to them: take it as a hint. "
        f"No choice is based on the test rows; predictions use {threshold:g}.",
        panels,
        columns=2,
        height=3.8,
    )


def _marks(*given: tuple[float, str, str]) -> list[Layer]:
    """Return two marks whose texts neither leave the panel, of x from 0 to 1, nor lie on each other."""
    lower, higher = sorted(given, key=lambda mark: mark[0])
    # A text takes a third of the panel.
    left = {lower: lower[0] > TEXT, higher: higher[0] > 1 - TEXT}
    outward = left[lower] and not left[higher]
    return [Mark(*one, left[one], raised=one is higher and not outward) for one in given]


def _at(
    probability: np.ndarray,
    values: np.ndarray,
    of_none: float,
    threshold: float,
    side: Literal["left", "right"],
) -> float:
    """Return the value of a curve at a threshold.

    Args:
        probability: Thresholds of the curve, in descending order.
        values: Value of the curve at each of them.
        of_none: Its value where no row is predicted positive.
        threshold: The threshold to look up.
        side: `left` if rows are predicted positive above it, `right` if at it too.
    """
    place = int(np.searchsorted(-probability, -threshold, side=side)) - 1
    return float(values[place]) if place >= 0 else of_none
