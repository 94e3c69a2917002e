"""A column that is read at once has the values and the reasons of one that is read cell by cell."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from common.data.reading import Form, Header, csv_text, read_records, read_rows, values
from common.data.records.at_once import read_arrays, read_texts

KINDS = ("integer", "double", "percent", "currency", "boolean", "date", "timestamp", "string")
TEXTS = (
    *("", "?", " -999 ", "5", "+3", "-0", "007", "5.0", "5,5", ".5", "5.", "1e3", "1e400", "nan", "inf"),
    *("1_000", "9" * 18, "9" * 19, str(2**63 - 1), str(-(2**63)), "9" * 5000, "1\n2", "٣", "- 5", "e5"),
    *("x", "True", "yes", "0", "1", "2024-02-29", "2024-02-30", "2024-02-29 12:30", "$5", "5%", "(3)"),
    # To pandas these are one text.
    *("a", "a\0", "a\0b"),
)
ARRAYS = {
    "integers": pa.array([0, 1, None, -999, 2**63 - 1]),
    "integers, the least": pa.array([1, -(2**63)]),
    "small integers": pa.array([1, None, 0], pa.int8()),
    "doubles": pa.array([0.0, -0.0, 1.5, None, float("nan"), -999.0, 5.0]),
    "doubles, one infinite": pa.array([1.0, float("-inf")]),
    "singles": pa.array([0.1, None, 16777216.0], pa.float32()),
    "large texts": pa.array(["5", None, "yes"], pa.large_string()),
    "booleans": pa.array([True, None]),
    "no texts": pa.array([None, None], pa.string()),
    "none": pa.array([], pa.string()),
    **{f"text {text[:20]!r}": pa.array([text, None, text]) for text in TEXTS},
}


def form_of(kind, is_optional, decimal="."):
    optional = frozenset(["c"] if is_optional else [])
    return Form({"c": kind}, optional, ("c",), missing=("?", "-999"), decimal=decimal)


def shown(rows):
    """Rows to compare; what a refused one has for a value does not count."""
    good = [
        repr(value) if is_good else "" for value, is_good in zip(rows.values["c"], rows.good, strict=True)
    ]
    return rows.values["c"].dtype, good, rows.reasons.tolist()


def one_by_one(monkeypatch):
    """From here on every cell is read on its own."""
    monkeypatch.setattr(values, "_read_at_once", lambda *_: None)
    monkeypatch.setattr(csv_text, "_parse_at_once", lambda *_: None)


@pytest.mark.parametrize("name", ARRAYS)
def test_array_is_read_as_its_cells_are(name, monkeypatch):
    forms = [form_of(kind, is_optional) for kind, is_optional in itertools.product(KINDS, (True, False))]
    found = [shown(read_arrays((ARRAYS[name],), form)) for form in forms]
    cells = pd.DataFrame({"c": pd.Series(ARRAYS[name].to_pylist(), dtype=object)})
    one_by_one(monkeypatch)
    assert found == [shown(read_rows(cells, form)) for form in forms]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_csv_are_read_as_each_is(kind, decimal, monkeypatch):
    header = Header(("c",), {"c": 0}, there=False)
    form = form_of(kind, True, decimal)
    several = [[text] for text in TEXTS] + [list(pair) for pair in itertools.pairwise(TEXTS)]
    several.append(["1", "2", "", "5", "?"])
    records = [['"' + text.replace('"', '""') + '"' for text in texts] for texts in several]
    found = [shown(read_records(some, header, form)) for some in records]
    one_by_one(monkeypatch)
    assert found == [shown(read_records(some, header, form)) for some in records]
    assert any(np.any(dtype_and_rows[2]) for dtype_and_rows in found) or kind == "string"


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("kind", KINDS)
def test_records_without_a_quote_are_read_as_each_is(kind, decimal):
    header = Header(("a", "c"), {"c": 1}, there=False)
    form = replace(form_of(kind, False, decimal), separator=";")
    texts = [text for text in TEXTS if "\n" not in text]
    plain = [f"x;\t{text} " for text in texts]
    others = ["", "x", ";;", "x;1;2", 'x;"5"', 'x;"5"x', "x;'5'", 'x;5"', '"x;y";5', "x; 5"]
    several = [[], plain, others, [*plain, *others], [*others[-2:], *plain[:3], others[4]], *zip(plain)]
    for records in several:
        found = read_texts(pa.array(records, pa.string()), header, form)
        assert shown(found) == shown(read_records(records, header, form)), records


@pytest.mark.parametrize("kind", KINDS)
def test_record_is_read_among_others_as_alone(kind):
    header, form = Header(("c",), {"c": 0}, there=False), form_of(kind, True)
    records = ['"' + text.replace('"', '""') + '"' for text in TEXTS]
    _, together, reasons = shown(read_records(records, header, form))
    alone = [shown(read_records([record], header, form)) for record in records]
    assert (together, reasons) == ([one[1][0] for one in alone], [one[2][0] for one in alone])
