from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from common.data.target import BINARY, Target
from common.learning.metrics import ScoreTable, scores
from common.plots.chart import GREEN, RED, Bars, Mark
from common.plots.interactive import page
from common.plots.still import stills
from common.plots.winner import winner_charts
from common.plots.winner_binary import TEXT, _marks

LABELS = Target(BINARY, ("<=50K", ">50K"))
ALL = ["confusion", "curves", "calibration", "threshold", "features", "strata"]


def table(seed, rows=2000):
    draw = np.random.default_rng(seed)
    # None is exactly one half, where Spark predicts 0.
    p = np.round(draw.random(rows) ** 2, 3) + 0.0004
    label = (draw.random(rows) < p).astype(float)
    loss = -np.log(np.where(label == 1, p, 1 - p).clip(1e-15))
    return ScoreTable(label, (p > 0.5).astype(float), p, np.ones(rows), loss)


STRATA = pd.DataFrame(
    [
        ["<=50K", "Female", 500, 0.95, 0.05, 0.1],
        [">50K", "Female", 100, 0.5, 0.5, 0.4],
        ["<=50K", "Male", 800, 0.9, 0.1, 0.2],
        [">50K", "Male", 600, 0.7, 0.7, 0.6],
    ],
    columns=["income", "sex", "rows", "predicted right", "predicted >50K", "mean probability of >50K"],
)
IMPORTANCE = pd.Series({"age": 0.6, "sex": 0.4})


@pytest.fixture(scope="module")
def charts():
    found = winner_charts(table(0), table(1), LABELS, IMPORTANCE, STRATA, "income")
    return {chart.name: chart for chart in found}


def test_winner_has_its_pictures(charts):
    assert list(charts) == ALL
    assert len(stills(list(charts.values()))) == len(ALL)
    assert "of &gt;50K are found" in page("Winner", list(charts.values()))


def test_confusion_counts_every_row(charts):
    (cells,) = charts["confusion"].panels[0].layers
    counts = [int(text.split("\n")[0].replace(",", "")) for row in cells.texts for text in row]
    assert sum(counts) == 2000
    assert cells.values.sum(axis=1) == pytest.approx([1, 1])
    test = table(1)
    assert counts[3] == ((test.label == 1) & (test.prediction == 1)).sum()


def test_curves_have_the_areas_and_the_base_rate_seen(charts):
    test = table(1)
    found = scores(test)
    assert f"ROC area {found['roc_auc']:.3f}" in charts["curves"].title
    roc, pairs = charts["curves"].panels
    assert np.trapezoid(roc.layers[1].y, roc.layers[1].x) == pytest.approx(found["roc_auc"], abs=1e-3)
    assert pairs.layers[0].y == pytest.approx([test.label.mean()] * 2)
    at_half = roc.layers[2]
    assert at_half.y[0] == pytest.approx(found["recall"])


def test_good_probabilities_lie_on_the_diagonal(charts):
    _, line, points = charts["calibration"].panels[0].layers
    assert len(points.x) == 10
    assert np.abs(np.subtract(line.x, line.y)).max() < 0.1
    assert ((line.low <= line.x) & (line.x <= line.high)).sum() >= 8


def test_bins_of_few_probabilities_say_how_many_rows_they_have():
    test = table(1)
    few = replace(test, probability=np.where(test.probability < 0.2, 0.1, 0.6))
    charts = winner_charts(few, few, LABELS, IMPORTANCE, STRATA, "income")
    (chart,) = (one for one in charts if one.name == "calibration")
    sizes = sorted([(few.probability < 0.2).sum(), (few.probability > 0.2).sum()])
    assert f"in 2 bins of {sizes[0]:,} to {sizes[1]:,} rows" in chart.note


def test_marked_threshold_is_chosen_on_the_training_rows(charts):
    train, test = table(0), table(1)
    panel = charts["threshold"].panels[1]
    marks = [layer for layer in panel.layers if isinstance(layer, Mark)]

    def f1(rows, threshold):
        said = rows.probability >= threshold
        right = (said & (rows.label == 1)).sum()
        return 2 * right / (said.sum() + (rows.label == 1).sum())

    best = max(np.unique(train.probability), key=lambda threshold: f1(train, threshold))
    assert marks[0].at == best
    assert f"{f1(test, best):.4f} on test" in marks[0].text
    assert "training rows" in charts["threshold"].note


def test_weighted_f1_at_half_is_the_metric(charts):
    _, mark = (x for x in charts["threshold"].panels[0].layers if isinstance(x, Mark))
    assert f"{scores(table(1))['f1_weighted']:.4f}" in mark.text


def test_worst_served_stratum_stands_first(charts):
    strata = charts["strata"]
    assert strata.title == (
        "Worst stratum: >50K, Female, 50% predicted correctly, against 70% of >50K, Male"
    )
    right, by_sex = (panel.layers[0] for panel in strata.panels)
    assert isinstance(right, Bars)
    assert right.labels[0] == ">50K, Female"
    assert (np.asarray(right.low) < right.values).all()
    assert dict(zip(by_sex.labels, by_sex.values, strict=True)) == pytest.approx(
        {
            "Female: true": 100 / 6,
            "Female: predicted": 12.5,
            "Male: true": 600 / 14,
            "Male: predicted": 500 / 14,
        }
    )


@pytest.mark.parametrize("order", [["sex", "income"], ["income", "sex"]])
def test_column_with_the_labels_values_is_not_taken_for_the_label(order):
    """Of a survey many columns are yes or no, and the label need not come first."""
    other = STRATA["sex"].map({"Female": "<=50K", "Male": ">50K"})
    strata = STRATA.assign(sex=other)[[*order, *STRATA.columns[2:]]]
    (*_, chart) = winner_charts(table(0), table(1), LABELS, IMPORTANCE, strata, "income")
    worst, best = (
        ", ".join({"income": ">50K", "sex": sex}[one] for one in order) for sex in LABELS.labels
    )
    said = f"Worst stratum: {worst}, 50% predicted correctly, against 70% of {best}"
    assert (chart.title, chart.panels[1].title) == (said, ">50K by sex")
    bars = chart.panels[1].layers[0]
    assert bars.values == pytest.approx([100 / 6, 12.5, 600 / 14, 500 / 14])


def test_strata_without_the_label_have_no_shares_of_it():
    strata = STRATA.assign(income=["yes", "no"] * 2, sex=["<=50K", "<=50K", ">50K", ">50K"])
    strata = strata.rename(columns={"income": "member"})
    (*_, chart) = winner_charts(table(0), table(1), LABELS, IMPORTANCE, strata, "income")
    assert chart.title.endswith("against 95% of yes, <=50K")
    assert len(chart.panels) == 1


def test_texts_of_marks_stay_in_the_panel_and_apart():
    for best, in_use in product(np.linspace(0, 1, 21), repeat=2):
        marks = _marks((best, "best", RED), (in_use, "in use", GREEN))
        assert [mark.at for mark in marks] == [best, in_use]
        ends = [(mark.at - TEXT, mark.at) if mark.left else (mark.at, mark.at + TEXT) for mark in marks]
        assert min(ends)[0] >= 0, (best, in_use)
        assert max(end for _, end in ends) <= 1, (best, in_use)
        (_, end), (start, _) = sorted(ends)
        assert marks[0].raised != marks[1].raised or end <= start, (best, in_use)


def test_threshold_in_use_is_the_one_that_predictions_have():
    rows = table(1)
    at = replace(rows, prediction=(rows.probability > 0.3).astype(float))
    found = winner_charts(table(0), at, LABELS, IMPORTANCE, STRATA, "income", 0.3)
    charts = {chart.name: chart for chart in found}
    for name, panel in (("f1_weighted", 0), ("f1", 1)):
        _, mark = (x for x in charts["threshold"].panels[panel].layers if isinstance(x, Mark))
        assert mark.at == 0.3
        assert f"0.3: {scores(at)[name]:.4f} on test" in mark.text
    assert charts["curves"].panels[0].layers[2].y[0] == pytest.approx(scores(at)["recall"])
    assert "threshold 0.3." in charts["confusion"].note
    marked = [panel.layers[2] for panel in charts["curves"].panels]
    assert [(one.name, one.hover) for one in marked] == [("threshold 0.3", ["threshold 0.3"])] * 2


def test_threshold_that_no_test_row_is_above_has_the_score_of_predicting_none():
    """It was shown as nan, while the same model's f1 in all other places is 0."""
    rows = table(1)
    none = replace(rows, prediction=np.zeros(2000), probability=rows.probability / 3)
    found = winner_charts(none, none, LABELS, IMPORTANCE, STRATA, "income")
    (chart,) = (one for one in found if one.name == "threshold")
    for name, panel in (("f1_weighted", 0), ("f1", 1)):
        _, mark = (x for x in chart.panels[panel].layers if isinstance(x, Mark))
        assert mark.text.endswith(f"0.5: {scores(none)[name]:.4f} on test")
    assert chart.title.startswith("F1 of >50K on the test rows: 0.0000 at 0.5, ")


@pytest.mark.parametrize("off", [0.0, 0.0004, 0.003, -0.00001])
def test_thresholds_that_differ_have_different_digits(charts, off):
    best = charts["threshold"].panels[1].layers[2].at
    found = winner_charts(table(0), table(1), LABELS, IMPORTANCE, STRATA, "income", round(best + off, 6))
    (chart,) = (one for one in found if one.name == "threshold")
    red, green = (x for x in chart.panels[1].layers if isinstance(x, Mark))
    there, used = (mark.text.split("\n")[1].split(":")[0] for mark in (red, green))
    assert float(there) == pytest.approx(red.at, abs=6e-4)
    assert float(used) == green.at
    assert (there == used) == (off == 0)
    assert f"at {used}, " in chart.title
    assert chart.title.endswith(f"at {there}")


def test_strata_may_have_a_column_named_as_a_measure():
    strata = STRATA.set_axis(["income", "rows", *STRATA.columns[2:]], axis=1)
    (*_, chart) = winner_charts(table(0), table(1), LABELS, IMPORTANCE, strata, "income")
    assert chart.title.startswith("Worst stratum: >50K, Female, 50% predicted correctly")


def test_rows_of_one_label_and_no_strata_leave_what_can_be_seen():
    rows = table(1)
    one = ScoreTable(np.zeros(2000), rows.prediction, rows.probability, rows.count, rows.loss)
    found = winner_charts(one, one, LABELS, IMPORTANCE * 0, STRATA.head(1), "income")
    assert [chart.name for chart in found] == ["confusion"]
    assert stills(found)


def test_rates_that_are_neither_none_nor_all_are_not_shown_as_that():
    """One positive row in five thousand, found by none of the predictions."""
    label = np.zeros(5000)
    label[0] = 1
    p = np.full(5000, 0.0002)
    rare = ScoreTable(label, np.zeros(5000), p, np.ones(5000), -np.log(np.where(label == 1, p, 1 - p)))
    found = {one.name: one for one in winner_charts(rare, rare, LABELS, IMPORTANCE, STRATA, "income")}
    assert found["confusion"].title == "0% of >50K are found; none is predicted"
    assert "for a base rate of 0.00020" in found["curves"].title
