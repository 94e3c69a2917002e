import re

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as theirs

from common.data.target import MULTICLASS, Target
from common.learning.class_metrics import class_table
from common.plots.interactive import figure, page
from common.plots.shown import shortened
from common.plots.still import stills
from common.plots.winner import WINNER_CHARTS, winner_charts

THREE = Target(MULTICLASS, ("setosa", "versicolor", "virginica"))
IMPORTANCE = pd.Series({"width": 0.7, "length": 0.3})
STRATA = pd.DataFrame(
    [["setosa", "wet", 50, 0.98], ["setosa", "dry", 30, 0.9], ["virginica", "wet", 40, 0.5]],
    columns=["kind", "place", "rows", "predicted right"],
)


def drawn(rows, labels, seed=0, absent=()):
    draw = np.random.default_rng(seed)
    label = draw.choice([one for one in range(labels) if one not in absent], rows)
    weight = draw.random((rows, labels)) + 1e-3
    weight[np.arange(rows), label] += 2 * draw.random(rows)
    return label, weight / weight.sum(axis=1, keepdims=True)


def charts_of(label, probability, target, strata=STRATA):
    table = class_table(label, probability)
    return {
        chart.name: chart for chart in winner_charts(table, table, target, IMPORTANCE, strata, "kind")
    }


@pytest.fixture(scope="module")
def rows():
    return drawn(1200, 3)


@pytest.fixture(scope="module")
def charts(rows):
    return charts_of(*rows, THREE)


def test_winner_has_its_pictures_in_both_kinds(charts):
    assert list(charts) == ["confusion", "areas", "calibration", "recall", "features", "strata"]
    assert [name for name in WINNER_CHARTS if name in charts] == list(charts)
    found = stills(list(charts.values()))
    assert all(png.startswith(b"\x89PNG") for png in found.values())
    assert stills(list(charts.values())) == found
    assert "most confused" in page("Winner", list(charts.values()))


def test_confusion_has_the_counts_and_the_worst_pair_of_the_rows(charts, rows):
    label, said = rows[0], rows[1].argmax(axis=1)
    counts = theirs.confusion_matrix(label, said)
    (cells,) = charts["confusion"].panels[0].layers
    shown = [[int(text.split("\n")[0].replace(",", "") or 0) for text in row] for row in cells.texts]
    assert np.array_equal(shown, counts)
    assert cells.values == pytest.approx(counts / counts.sum(axis=1, keepdims=True))
    wrong = counts - np.diag(np.diag(counts))
    true, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    names = THREE.labels
    share = wrong[true, taken] / counts[true].sum()
    assert charts["confusion"].title.startswith(
        f"{np.mean(label == said):.1%} are predicted correctly; most confused: "
        f"{names[true]} taken for {names[taken]}, {share:.0%} of {names[true]}"
    )


def test_areas_are_scikit_learns_the_worst_first(charts, rows):
    label, probability = rows
    (bars,) = charts["areas"].panels[0].layers
    areas = {
        name: theirs.roc_auc_score(label == n, probability[:, n]) for n, name in enumerate(THREE.labels)
    }
    assert dict(zip(bars.labels, bars.values, strict=True)) == pytest.approx(areas)
    assert list(bars.values) == sorted(bars.values)
    assert f"ROC area {np.mean(list(areas.values())):.4f}" in charts["areas"].title


def test_recall_is_scikit_learns_the_worst_first_within_its_interval(charts, rows):
    label, said = rows[0], rows[1].argmax(axis=1)
    (bars,) = charts["recall"].panels[0].layers
    expected = 100 * theirs.recall_score(label, said, average=None)
    assert list(bars.values) == pytest.approx(sorted(expected))
    assert (np.asarray(bars.low) < bars.values).all()
    assert (np.asarray(bars.high) > bars.values).all()


def test_title_counts_the_labels_and_strata_that_are_served_as_badly(rows):
    """Of six labels with a recall of 0% the pictures named the first as the worst of all."""
    label, probability = rows
    missed = probability.copy()
    missed[:, 1:] = 0
    strata = pd.DataFrame({"place": list("abc"), "rows": [9, 9, 9], "right": [0.0, 0.5, 0.0]})
    found = charts_of(label, missed, THREE, strata)
    said = "0% of versicolor and 1 other label are found, the smallest share; 100% of setosa, the largest"
    assert found["recall"].title == said
    said = "0% predicted correctly, against 50% of b"
    assert found["strata"].title == f"Worst strata: a and 1 other stratum, {said}"
    assert charts_of(label, missed, THREE, strata[:2])["strata"].title == f"Worst stratum: a, {said}"


def test_calibration_compares_the_predicted_labels_probability_with_what_is_right(charts, rows):
    label, probability = rows
    _, line, _ = charts["calibration"].panels[0].layers
    of_all = (label[:, None] == np.arange(3)).ravel()
    part = np.minimum((probability.ravel() * 10).astype(int), 9)
    there = np.unique(part)
    assert line.x == pytest.approx([probability.ravel()[part == one].mean() for one in there])
    assert line.y == pytest.approx([of_all[part == one].mean() for one in there])
    sure = probability.max(axis=1) > 0.5
    right = (probability.argmax(axis=1) == label)[sure].mean()
    said = probability.max(axis=1)[sure].mean()
    assert f"{said:.3f} were predicted on average and {right:.3f} observed" in charts["calibration"].title
    assert f"on {sure.mean():.0%} of the rows" in charts["calibration"].title


def test_worst_stratum_is_told_against_one_of_its_label(charts):
    strata = charts["strata"]
    assert strata.title == "Worst stratum: virginica, wet, 50% predicted correctly"
    assert len(strata.panels) == 1
    (bars,) = strata.panels[0].layers
    assert bars.labels == ["virginica, wet", "setosa, dry", "setosa, wet"]


def test_rare_labels_of_many_are_together_and_no_row_is_lost():
    labels = tuple(f"product {place:02d}" for place in range(40))
    label, probability = drawn(4000, 40)
    label[label > 20] = label[label > 20] % 12
    found = charts_of(label, probability, Target(MULTICLASS, labels))
    panel = found["confusion"].panels[0]
    (cells,) = panel.layers
    assert list(panel.x_ticks) == [*labels[:12], "28 others"]
    said = np.minimum(probability.argmax(axis=1), 12)
    counts = theirs.confusion_matrix(np.minimum(label, 12), said)
    shown = [[int(text.split("\n")[0].replace(",", "") or 0) for text in row] for row in cells.texts]
    assert np.array_equal(shown, counts)
    assert len(found["areas"].panels[0].layers[0].labels) == 16
    # 19 labels have no row.
    assert "Number of labels without a test row: 19." in found["recall"].note


@pytest.mark.parametrize("labels", [3, 13])
def test_labels_up_to_one_more_than_twelve_each_have_a_row(labels):
    names = tuple("abcdefghijklm"[:labels])
    found = charts_of(*drawn(300, labels), Target(MULTICLASS, names))
    assert list(found["confusion"].panels[0].y_ticks) == list(names)


def test_one_row_leaves_what_can_be_seen():
    found = charts_of(np.array([1]), np.array([[0.4, 0.35, 0.25]]), THREE, STRATA.head(1))
    assert list(found) == ["confusion", "calibration", "recall", "features"]
    assert found["confusion"].title == (
        "0.0% are predicted correctly; most confused: versicolor taken for setosa, 100% of versicolor"
    )
    assert found["calibration"].title == "No label has a probability above 0.5 on any of 1 test rows"
    assert len(stills(list(found.values()))) == 4


def test_labels_that_are_digits_stay_labels_in_the_interactive_version():
    digits = Target(MULTICLASS, tuple("0123456789"))
    found = charts_of(*drawn(500, 10), digits)
    assert figure(found["recall"]).layout.yaxis.type == "category"
    ticks = figure(found["confusion"]).layout.xaxis.ticktext
    assert ticks == digits.labels


def test_long_names_are_shortened_and_stay_different():
    names = [f"request of the {part} department in the northern region" for part in ("sales", "legal")]
    short = shortened([*names, "other"], 20)
    assert short[2] == "other"
    assert len(set(short)) == 3
    assert all(len(name) <= 40 for name in short)
    assert shortened(["a" * 30, "b" * 30], 20) == [f"{x * 10}…{x * 9}" for x in "ab"]
    middle = ["x" * 50 + one + "x" * 50 for one in "ab"]
    assert re.sub("[^#12 ]", "", " ".join(shortened(middle, 20))) == " #1  #2"
