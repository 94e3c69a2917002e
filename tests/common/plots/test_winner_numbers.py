import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as theirs

from common.data.target import REGRESSION, Target
from common.learning.number_metrics import number_table
from common.plots.chart import Cells, Mark, Points
from common.plots.interactive import figure, page
from common.plots.still import stills
from common.plots.winner import WINNER_CHARTS, winner_charts

NUMBER = Target(REGRESSION)
IMPORTANCE = pd.Series({"area": 0.7, "rooms": 0.3})
STRATA = pd.DataFrame(
    [["01: up to 10", "wet", 50, -1.5, 2.0], ["02: above 10", "wet", 30, 4.0, 54321.9]],
    columns=["price", "place", "rows", "mean error", "mean absolute error"],
)


def drawn(rows, outliers=0):
    draw = np.random.default_rng(0)
    true = draw.lognormal(3, 0.5, rows)
    said = true * draw.normal(0.95, 0.1, rows)
    true[:outliers] *= 1000
    return true, said


def charts_of(true, said, strata=STRATA):
    table = number_table(true, said)
    return {
        chart.name: chart for chart in winner_charts(table, table, NUMBER, IMPORTANCE, strata, "price")
    }


@pytest.fixture(scope="module")
def rows():
    return drawn(3000, outliers=5)


@pytest.fixture(scope="module")
def charts(rows):
    return charts_of(*rows)


def test_winner_has_its_pictures_in_both_kinds(charts):
    assert list(charts) == ["predicted", "errors", "tenths", "features", "strata"]
    assert [name for name in WINNER_CHARTS if name in charts] == list(charts)
    found = stills(list(charts.values()))
    assert all(png.startswith(b"\x89PNG") for png in found.values())
    assert stills(list(charts.values())) == found
    assert "Half of the predictions" in page("Winner", list(charts.values()))


def test_titles_say_the_scores(charts, rows):
    median = theirs.median_absolute_error(*rows)
    rmse, r2 = theirs.root_mean_squared_error(*rows), theirs.r2_score(*rows)
    assert charts["predicted"].title == (
        f"Half of the predictions are off by at most {median:.3f}; rmse {rmse:.1f}, r2 {r2:.3f}"
    )
    error = np.sort(rows[1] - rows[0])
    assert charts["errors"].title.startswith(f"Errors are {error.mean():.1f} on average")
    ends = [error[int(np.ceil(share * 3000)) - 1] for share in (0.25, 0.75, 0.05, 0.95)]
    said = charts["errors"].title.partition("half lie between ")[2]
    numbers = [float(text) for text in said.replace(", 90% between", " and").split(" and ")]
    assert numbers == pytest.approx(ends, rel=0.01)


def test_cells_count_every_row_but_the_outliers(charts, rows):
    true, said = rows
    cells, diagonal = charts["predicted"].panels[0].layers
    assert isinstance(cells, Cells)
    (low, high), up = cells.ends
    assert (low, high) == up == tuple(diagonal.x) == tuple(diagonal.y)
    inside = (true >= low) & (true <= high) & (said >= low) & (said <= high)
    assert np.nansum(10**cells.values) == pytest.approx(inside.sum())
    assert 5 <= (~inside).sum() <= 60
    assert f"{(~inside).sum()} rows lie beyond the axes." in charts["predicted"].note
    # A row of cells is a range of the prediction, a column one of the true number.
    width = (high - low) / 48
    place = (np.array([said[-1], true[-1]]) - low) // width
    assert cells.values[int(place[0]), int(place[1])] >= 0


def test_errors_are_distributed_as_they_are():
    true, said = drawn(3000)
    error = said - true
    steps, _, mark = charts_of(true, said)["errors"].panels[0].layers
    edges, counts = np.asarray(steps.x)[::2], np.asarray(steps.y)[1:-1:2]
    assert steps.fill
    for low, high, count in zip(edges[:-1], edges[1:-1], counts, strict=False):
        assert count == ((error >= low) & (error < high)).sum()
    assert isinstance(mark, Mark)
    assert mark.at == pytest.approx(error.mean())


def test_single_outlier_is_told_as_one():
    true, said = drawn(600)
    found = charts_of(np.append(true, 1e6), np.append(said, 0.0), STRATA)
    assert "1 row lies beyond the axes." in found["predicted"].note


def test_median_error_by_prediction_is_that_of_its_tenth(charts, rows):
    order = np.argsort(rows[1], kind="stable")
    line = charts["errors"].panels[1].layers[2]
    tenths = np.split(order, 10)
    error = rows[1] - rows[0]
    assert line.x == pytest.approx([rows[1][tenth].mean() for tenth in tenths])
    for name, share in (("low", 0.25), ("y", 0.5), ("high", 0.75)):
        expected = [np.quantile(error[t], share, method="inverted_cdf") for t in tenths]
        assert getattr(line, name) == pytest.approx(expected)


def test_mean_absolute_error_is_that_of_each_tenth_of_the_true_numbers(charts, rows):
    (bars,) = charts["tenths"].panels[0].layers
    tenths = np.split(np.argsort(rows[0], kind="stable"), 10)
    expected = [np.abs(rows[1] - rows[0])[tenth].mean() for tenth in tenths]
    assert bars.values == pytest.approx(expected)
    assert (np.asarray(bars.low) >= 0).all()
    of = bars.labels[int(np.argmax(expected))]
    assert charts["tenths"].title.startswith(f"A true number of {of} is missed by ")
    assert all("300 rows" in text for text in bars.texts)


@pytest.mark.parametrize("rows_of_a_part", [5, 8, 300])
def test_interval_of_a_tenths_mean_is_students(rows_of_a_part):
    """With five rows that of the normal distribution is a third too narrow."""
    true, said = drawn(10 * rows_of_a_part)
    (bars,) = charts_of(true, said, STRATA)["tenths"].panels[0].layers
    order = np.argsort(true, kind="stable")
    for place, tenth in enumerate(np.split(order, 10)):
        missed = np.abs(said - true)[tenth]
        mean, error = missed.mean(), stats.sem(missed)
        low, high = stats.t.interval(0.95, len(missed) - 1, mean, error)
        assert bars.high[place] == pytest.approx(high)
        assert bars.low[place] == pytest.approx(max(low, 0))


def test_strata_show_how_far_and_in_which_direction(charts):
    strata = charts["strata"]
    assert strata.title == (
        "Worst stratum: 02: above 10, wet, off by 54,322 on average, against 2.000 of 01: up to 10, wet"
    )
    far, direction = (panel.layers[0] for panel in strata.panels)
    assert list(far.values) == [54321.9, 2.0]
    assert list(direction.values) == [4.0, -1.5]
    assert list(direction.texts) == ["+4.000", "-1.500"]


def test_few_rows_are_dots_and_one_part():
    found = charts_of(*drawn(6), STRATA.head(1))
    assert list(found) == ["predicted", "errors", "features"]
    dots = found["predicted"].panels[0].layers[0]
    assert isinstance(dots, Points)
    assert len(dots.x) == len(dots.hover) == 6
    assert stills(list(found.values()))


@pytest.mark.parametrize("number", [0.0, 7.0, -1e9])
def test_equal_numbers_that_are_all_met_can_be_drawn(number):
    found = charts_of(np.full(20, number), np.full(20, number))
    assert list(found) == ["predicted", "errors", "features", "strata"]
    assert "r2" not in found["predicted"].title
    assert stills(list(found.values()))


def test_few_values_have_a_part_each():
    true = np.repeat([1.0, 2.0, 5.0], 100)
    found = charts_of(true, true + np.repeat([0.0, 1.0, -3.0], 100))
    (bars,) = found["tenths"].panels[0].layers
    assert bars.labels == ["1", "2", "5"]
    assert list(bars.values) == [0, 1, 3]


def test_interactive_cells_lie_where_the_numbers_are(charts):
    heat = figure(charts["predicted"]).data[0]
    low, high = charts["predicted"].panels[0].layers[0].ends[0]
    assert (len(heat.x), len(heat.y)) == (48, 48)
    assert heat.x[0] == pytest.approx(low + (high - low) / 96)
    assert heat.texttemplate is None
    assert any(value is None for row in heat.z for value in row)
