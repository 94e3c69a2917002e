"""What is counted of scored rows: categories without a feature of their own, and missing values."""

import pandas as pd
import pytest

from common.data.reading import BOOLEAN, DATE, DOUBLE, INTEGER, TEXT, TIMESTAMP, Form, read_rows
from common.scoring.row_counts import Counted, RowCounts, total

# Of each kind values of which the first two are known categories, and what a message shows of the others.
VALUES = {
    TEXT: (["a", "b", "d", "c", None], ["a", "b"], "c"),
    BOOLEAN: (["no", "no", "yes", "yes", None], ["false"], "true"),
    INTEGER: ([7, -1, 30, 4, None], ["7", "-1"], "30"),
    DOUBLE: ([0.5, 1e10, 2.5, 10.0, None], ["0.5", "1.0E10"], "10.0"),
    DATE: (
        ["2024-02-29", "1969-12-31", "2024-03-02", "2024-03-01", None],
        ["2024-02-29", "1969-12-31"],
        "2024-03-01",
    ),
    TIMESTAMP: (
        ["2024-02-29 12:30:00", "2024-03-01", "2024-03-03 00:00:01.5", "2024-03-03 00:00:02", None],
        ["2024-02-29 12:30:00", "2024-03-01 00:00:00"],
        "2024-03-03 00:00:01.500",
    ),
}


def counts_of(given, kind, categories, may_lack=()):
    frame = pd.DataFrame({"x": pd.Series(given, dtype=object)})
    rows = read_rows(frame, Form({"x": kind}, optional=frozenset({"x"})))
    assert rows.good.all()
    return Counted({"x": kind}, categories, may_lack).counter()(rows.values)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("is_known", [True, False])
def test_values_that_are_no_known_category_are_counted_with_one_of_them(kind, is_known):
    given, known, example = VALUES[kind]
    categories = {"x": [*known, "(missing)"] if is_known else known}
    found = counts_of(given, kind, categories, ["x"])
    assert found == RowCounts({"x": 2 + (not is_known)}, {"x": example}, {"x": 1})


@pytest.mark.parametrize("kind", VALUES)
def test_missing_values_alone_have_no_example_and_known_ones_no_count(kind):
    given, known, _ = VALUES[kind]
    assert counts_of([None, given[0]], kind, {"x": known}) == RowCounts({"x": 1}, {}, {})
    assert counts_of(given[:2], kind, {"x": known}, ["x"]) == RowCounts()


def test_counts_of_batches_are_added_up():
    parts = [
        RowCounts({"x": 2, "y": 1}, {"x": "é"}, {"z": 4}),
        RowCounts({"x": 3}, {"x": "b"}, {"z": 1}),
        RowCounts(),
        RowCounts({"x": 1}, {"x": "c"}, {"w": 1}),
    ]
    assert total(part.as_text() for part in parts) == RowCounts(
        {"x": 6, "y": 1}, {"x": "b"}, {"z": 5, "w": 1}
    )
