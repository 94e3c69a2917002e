"""The charts of a winner that predicts one of several labels: confusion, areas, calibration, recall."""

from collections.abc import Sequence

import numpy as np

from common.data.shares import percent, shown_probability
from common.learning.class_metrics import ClassTable, label_areas
from common.learning.curves import ratio
from common.learning.metrics import Calibration, calibration_of, shown_score
from common.plots.chart import (
    BLUE,
    GREY,
    Bars,
    Cells,
    Chart,
    Layer,
    Line,
    Panel,
    Points,
)
from common.plots.interval import interval
from common.plots.shown import and_alike, first_red, shortened

# Number of labels with a row of their own in the confusion, and of bars.
LABELS, BARS = 12, 16
# Number of characters of a label's name, and of confused pairs that a title names.
LONGEST, PAIRS = 24, 2
# Number of parts of a calibration, of equal width.
PARTS = 10
# A label with a higher probability is the predicted one.
SURE = 0.5


def class_charts(test: ClassTable, labels: Sequence[str]) -> list[Chart]:
    """Return the charts; the areas are left out unless at least two labels occur in the test rows.

    Args:
        test: Counts of its predictions on the test rows.
        labels: Names of the labels.
    """
    names = shortened(labels, LONGEST)
    areas = label_areas(test)
    charts = [_confusion(test, names)]
    if np.isfinite(areas).any():
        charts.append(_areas(test, areas, names))
    return [*charts, _calibration(test), _recall(test, names)]


def _confusion(test: ClassTable, names: Sequence[str]) -> Chart:
    counts, shown = _most_frequent(test.confusion, names)
    of_label = counts.sum(axis=1, keepdims=True)
    shares = ratio(counts, np.broadcast_to(of_label, counts.shape))
    texts = [
        [f"{n:,.0f}\n{percent(share, 1)}" if n else "" for n, share in zip(*row, strict=True)]
        for row in zip(counts, shares, strict=True)
    ]
    left = len(names) - LABELS
    cells = Cells(shares, texts, (0.0, 1.0))
    return Chart(
        "confusion",
        _confused(test.confusion, names),
        f"{counts.sum():,.0f} test rows: their number and their share of the true label's rows; empty: "
        "none. Yellow: a large share."
        + (f" The {left} labels with the fewest rows are together." if len(shown) < len(names) else ""),
        [Panel("", "predicted", "true", [cells], x_ticks=shown, y_ticks=shown)],
        height=max(3.2, 1 + 0.42 * len(shown)) + 0.025 * max(map(len, shown)),
    )


def _most_frequent(counts: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Keep the labels with the most rows, in order, and add up the others, if there are several."""
    if len(names) <= LABELS + 1:
        return counts, list(names)
    by_rows = np.argsort(-counts.sum(axis=1), kind="stable")
    kept, others = np.sort(by_rows[:LABELS]), by_rows[LABELS:]
    place = np.zeros(len(names), int)
    place[kept], place[others] = np.arange(LABELS), LABELS
    merged = np.zeros((LABELS + 1, LABELS + 1))
    np.add.at(merged, (place[:, None], place[None, :]), counts)
    return merged, [*(names[label] for label in kept), f"{len(others)} others"]


def _confused(counts: np.ndarray, names: Sequence[str]) -> str:
    """Name the pairs of labels with the most errors."""
    right = f"{percent(counts.trace() / counts.sum(), 1)} are predicted correctly"
    wrong = counts - np.diag(counts.diagonal())
    shares = ratio(wrong, np.broadcast_to(counts.sum(axis=1, keepdims=True), wrong.shape))
    most = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = [np.unravel_index(place, wrong.shape) for place in most]
    named = [
        f"{names[true]} taken for {names[said]}, {percent(float(shares[true, said]))} of {names[true]}"
        for true, said in pairs
        if wrong[true, said]
    ]
    return right + (f"; most confused: {'; '.join(named)}" if named else "")


def _areas(test: ClassTable, areas: np.ndarray, names: Sequence[str]) -> Chart:
    known = np.flatnonzero(np.isfinite(areas))
    worst = known[np.argsort(areas[known], kind="stable")][:BARS]
    rows = test.confusion.sum(axis=1)
    bars = Bars(
        [names[label] for label in worst],
        areas[worst],
        [f"{shown_score('roc_auc', areas[label])}, {rows[label]:,.0f} rows" for label in worst],
        colours=first_red(worst),
    )
    return Chart(
        "areas",
        f"ROC area {shown_score('roc_auc', areas[known].mean())}, the mean over the labels; "
        f"{names[worst[0]]} is lowest, {shown_score('roc_auc', areas[worst[0]])}",
        "Test rows: each label against all others, the worst on top. 0.5: random guessing; 1: all rows "
        "of the label have a higher probability of it than any other row." + _left_out(known),
        [Panel("", "area under the ROC curve", "", [bars])],
        height=0.8 + 0.28 * len(worst),
    )


def _calibration(test: ClassTable) -> Chart:
    parts = _parts(test)
    low, high = interval(parts.seen * parts.count, parts.count)
    words = [
        f"{n:,.0f} probabilities: predicted {shown_probability(said)}, observed {shown_probability(seen)}"
        for n, said, seen in zip(parts.count, parts.said, parts.seen, strict=True)
    ]
    layers: list[Layer] = [
        Line([0, 1], [0, 1], "perfect", GREY, dashed=True),
        Line(parts.said, parts.seen, low=low, high=high),
        Points(parts.said, parts.seen, words, "bin", BLUE, 8),
    ]
    return Chart(
        "calibration",
        _sure(test),
        "Test rows, each with its probability of every label, in bins of equal width. Above 0.5, it is "
        "the predicted label's. Dashed: perfect calibration; bars: 95% confidence interval.",
        [
            Panel(
                *("", "mean predicted probability", "observed share of the label", layers),
                legend="upper left",
            )
        ],
        height=4.2,
    )


def _parts(test: ClassTable) -> Calibration:
    order = np.argsort(test.probability, kind="stable")
    said, true = test.probability[order], test.true[order]
    part = np.minimum((said * PARTS).astype(int), PARTS - 1)
    return calibration_of(part, said, true + test.false[order], true)


def _sure(test: ClassTable) -> str:
    """Compare predicted and observed frequency where the predicted label has more than one half."""
    sure = test.probability > SURE
    true, count = test.true[sure], (test.true + test.false)[sure]
    rows = test.confusion.sum()
    if not count.sum():
        return f"No label has a probability above {SURE} on any of {rows:,.0f} test rows"
    said, seen = test.probability[sure] @ count / count.sum(), true.sum() / count.sum()
    share = percent(count.sum() / rows)
    whose = f"Where the label's probability is above {SURE}, on {share} of the rows"
    found = f"{shown_probability(said)} were predicted on average and {shown_probability(seen)} observed"
    return f"{whose}, {found}"


def _recall(test: ClassTable, names: Sequence[str]) -> Chart:
    rows, right = test.confusion.sum(axis=1), test.confusion.diagonal()
    known = np.flatnonzero(rows)
    recall = ratio(right, rows)
    worst = known[np.argsort(recall[known], kind="stable")][:BARS]
    low, high = interval(right[worst], rows[worst])
    bars = Bars(
        [names[label] for label in worst],
        100 * recall[worst],
        [f"{percent(recall[label], 1)} of {rows[label]:,.0f}" for label in worst],
        100 * low,
        100 * high,
        first_red(worst),
    )
    first, last = worst[0], known[np.argmax(recall[known])]
    # Of labels that no row has, the recall is none.
    least = and_alike(names, np.where(rows > 0, recall, np.nan), first, "labels")
    title = f"{percent(recall[first])} of {least} are found"
    if recall[first] != recall[last]:
        title += f", the smallest share; {percent(recall[last])} of {names[last]}, the largest"
    absent = len(names) - len(known)
    return Chart(
        "recall",
        title,
        "Recall: the share of a label's test rows that are predicted to have it; the worst on top. Bars: "
        "95% confidence interval."
        + _left_out(known)
        + (f" Number of labels without a test row: {absent}." if absent else ""),
        [Panel("", "recall, %", "", [bars])],
        height=0.8 + 0.28 * len(worst),
    )


def _left_out(known: np.ndarray) -> str:
    return f" {len(known) - BARS} better labels are left out." if len(known) > BARS else ""
