"""Which values are accepted, what they become, and the messages for the others."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from common.data.reading import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    NO_INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
    Form,
    Unreadable,
    read_rows,
)

COLUMNS = {"age": INTEGER, "pay-rate": DOUBLE, "job": TEXT}
FORM = Form(COLUMNS)

GOOD = {"age": 39, "pay-rate": 2.5, "job": "Clerk"}


def reason(**changed):
    """Return what is wrong with the middle one of three rows."""
    frame = pd.DataFrame({name: pd.Series([value] * 3, dtype=object) for name, value in GOOD.items()})
    for name, value in changed.items():
        frame.at[1, name.replace("_", "-")] = value
    rows = read_rows(frame, FORM)
    assert rows.good.tolist() == [True, rows.reasons[1] is None, True]
    return rows.reasons[1]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"age": 39.7}, "column 'age' is 39.7, expected a whole number"),
        ({"age": "39"}, "column 'age' is '39', expected a whole number"),
        ({"age": "?"}, "column 'age' is null, expected a whole number"),
        ({"pay_rate": ""}, "column 'pay-rate' is null, expected a finite number"),
        ({"age": True}, "column 'age' is True, expected a whole number"),
        ({"age": None}, "column 'age' is null, expected a whole number"),
        ({"age": float("nan")}, "column 'age' is null, expected a whole number"),
        ({"age": float("inf")}, "column 'age' is inf, expected a whole number"),
        ({"age": 1e300}, "column 'age' is 1e+300, expected a whole number"),
        ({"age": 2**63}, "column 'age' is 9223372036854775808, expected a whole number"),
        ({"age": 10**400}, "column 'age' is 1000"),
        ({"age": [39]}, "column 'age' is [39], expected a whole number"),
        ({"age": 1 + 2j}, "column 'age' is (1+2j), expected a whole number"),
        ({"pay_rate": "2.5"}, "column 'pay-rate' is '2.5', expected a finite number"),
        ({"pay_rate": False}, "column 'pay-rate' is False, expected a finite number"),
        ({"pay_rate": None}, "column 'pay-rate' is null, expected a finite number"),
        ({"pay_rate": -np.inf}, "column 'pay-rate' is -inf, expected a finite number"),
        ({"age": -(2**63)}, "column 'age' is -9223372036854775808, expected a whole number"),
        ({"job": 5.5}, "column 'job' is 5.5, expected text"),
        ({"job": ["Clerk"]}, "column 'job' is ['Clerk'], expected text"),
        ({"job": {"a": 1}}, "column 'job' is {'a': 1}, expected text"),
        ({"job": "\ud800"}, "column 'job' is '\\ud800', expected text"),
        ({"job": 5.5, "age": "x"}, "column 'age' is 'x', expected a whole number"),
    ],
)
def test_value_that_is_not_the_columns_is_named(changed, expected):
    assert reason(**changed).startswith(expected)


@pytest.mark.parametrize(
    "changed",
    [
        {"age": 39.0},
        {"age": Decimal("39.0")},
        {"age": -5},
        {"age": 2**63 - 1},
        {"age": np.int32(3)},
        {"pay_rate": 3},
        {"pay_rate": 1e300},
        {"job": "never seen"},
        {"job": None},
        {"job": float("nan")},
        {"job": "性"},
        {"job": ""},
    ],
)
def test_value_of_the_right_type_is_taken_whether_it_was_seen_or_not(changed):
    assert reason(**changed) is None


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (True, "true"),
        (np.bool_(False), "false"),
        ("True", "true"),
        ("FALSE", "false"),
        ("tRUE", "tRUE"),
        (5, "5"),
        (np.int32(-7), "-7"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (" \tClerk ", "Clerk"),
        ("\u00a0Clerk\u202f", "Clerk"),
        ("\u2003Clerk", "\u2003Clerk"),
        (" ", ""),
        (None, ""),
        (" ? ", ""),
        ("NA", "NA"),
        ("null", "null"),
    ],
)
def test_text_is_the_same_however_it_was_given(given, text):
    frame = pd.DataFrame({"job": pd.Series([given, "x"], dtype=object)})
    assert read_rows(frame, Form({"job": TEXT})).values["job"].tolist() == [text, "x"]


def test_number_that_is_a_category_may_be_missing():
    frame = pd.DataFrame({"age": [39.0, np.nan], "rate": [np.nan, -0.0]})
    rows = read_rows(frame, Form({"age": INTEGER, "rate": DOUBLE}, frozenset({"age", "rate"})))
    assert rows.good.all()
    assert rows.values["age"].tolist() == [39, NO_INTEGER]
    assert str(rows.values["rate"].tolist()) == "[nan, 0.0]"


def test_values_come_in_the_columns_own_types():
    frame = pd.DataFrame({"age": [39.0, np.nan], "pay-rate": [1, 2], "job": ["Clerk", None], "more": 0})
    rows = read_rows(frame, FORM)
    assert rows.good.tolist() == [True, False]
    assert [rows.values[name].dtype for name in COLUMNS] == [np.int64, np.float64, object]
    assert list(rows.values) == list(COLUMNS)
    assert rows.values["job"].tolist() == ["Clerk", ""]


@pytest.mark.parametrize("dtype", ["Int64", "int8", "uint64", "float32", "object"])
def test_numbers_are_read_from_any_dtype_of_pandas(dtype):
    frame = pd.DataFrame({"age": pd.Series([1, 100], dtype=dtype)})
    rows = read_rows(frame, Form({"age": INTEGER}))
    assert rows.good.all()
    assert rows.values["age"].tolist() == [1, 100]


@pytest.mark.parametrize("dtype", ["string", "category", "object"])
def test_texts_are_read_from_any_dtype_of_pandas(dtype):
    frame = pd.DataFrame({"job": pd.Series(["a", "b", None, "a"], dtype=dtype)})
    rows = read_rows(frame, Form({"job": TEXT}))
    assert rows.good.all()
    assert rows.values["job"].tolist() == ["a", "b", "", "a"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"age": [1]}), "column 'pay-rate' is missing"),
        (pd.DataFrame([[1, 2]], columns=["age", "age"]), "column 'age' is present 2 times"),
    ],
)
def test_column_that_is_not_there_once_is_refused(frame, message):
    with pytest.raises(Unreadable, match=message):
        read_rows(frame, FORM)


@pytest.mark.parametrize("kind", [INTEGER, DOUBLE, PERCENT, CURRENCY])
@pytest.mark.parametrize("dtype", ["float64", "float32", "object"])
def test_infinite_number_is_missing_only_if_it_is_marked(kind, dtype):
    frame = pd.DataFrame({"x": pd.Series([np.inf, 5.0, -np.inf, np.nan], dtype=dtype)})
    found = [
        read_rows(frame, Form({"x": kind}, frozenset("x"), missing=markers))
        for markers in ((), ("inf",), ("-Infinity", "Inf"))
    ]
    assert [rows.good.tolist() for rows in found] == [
        [False, True, False, True],
        [True, True, False, True],
        [True] * 4,
    ]
    values = found[2].values["x"]
    assert ((values == NO_INTEGER) | np.isnan(values)).tolist() == [True, False, True, True]


@pytest.mark.parametrize("kind", [INTEGER, DOUBLE, PERCENT, CURRENCY, BOOLEAN, DATE, TIMESTAMP, TEXT])
@pytest.mark.parametrize("given", [None, "", " ", "?", " ? ", "-999", pd.NA, pd.NaT, float("nan")])
def test_missing_value_is_one_to_every_kind(kind, given):
    frame = pd.DataFrame({"x": pd.Series([given], dtype=object)})
    rows = read_rows(frame, Form({"x": kind}, frozenset("x"), missing=("?", "-999")))
    assert rows.good.all()
    value = rows.values["x"][0]
    assert (
        value in ("", NO_INTEGER) or np.isnan(value) if kind not in (DATE, TIMESTAMP) else np.isnat(value)
    )


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (INTEGER, [-999, 5]),
        (DOUBLE, [-999.0, 5.0]),
        (DOUBLE, [-999, 5]),
        (PERCENT, np.float32([-999, 5])),
    ],
)
def test_number_that_marks_a_missing_value_is_missing(kind, values):
    frame = pd.DataFrame({"x": values})
    rows = read_rows(frame, Form({"x": kind}, frozenset("x"), missing=("-999",)))
    assert rows.good.all()
    assert rows.values["x"][0] == NO_INTEGER if kind == INTEGER else np.isnan(rows.values["x"][0])
    assert rows.values["x"][1] == 5
    refused = read_rows(frame, Form({"x": kind}, missing=("-999",)))
    assert refused.good.tolist() == [False, True]
    assert refused.reasons[0].startswith("column 'x' is null, expected")


NOON = datetime.datetime(2024, 2, 29, 12, 30)
PARIS = datetime.timezone(datetime.timedelta(hours=1))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NOON, "2024-02-29T12:30"),
        (NOON.replace(tzinfo=PARIS), "2024-02-29T11:30"),
        (datetime.date(2024, 2, 29), "2024-02-29T00:00"),
        (datetime.datetime(9999, 12, 31), "9999-12-31T00:00"),
        (datetime.datetime.min, "0001-01-01T00:00"),
        (pd.Timestamp(NOON), "2024-02-29T12:30"),
        (pd.Timestamp(NOON, tz="Europe/Paris"), "2024-02-29T11:30"),
        (pd.Timestamp(-1, unit="ns"), "1969-12-31T23:59:59.999999"),
        (np.datetime64("9999-12-31", "D"), "9999-12-31T00:00"),
        (np.datetime64("10000-01-01", "D"), None),
        (np.datetime64("600000-01-01", "D"), None),
        (np.datetime64("0000-12-31", "D"), None),
        (datetime.datetime.min.replace(tzinfo=PARIS), None),
        (datetime.datetime.max.replace(tzinfo=datetime.timezone(-datetime.timedelta(hours=1))), None),
        (datetime.time(12, 30), None),
        (20240229, None),
        (True, None),
    ],
)
def test_times_of_any_library_are_microseconds_in_utc(given, expected):
    rows = read_rows(pd.DataFrame({"t": pd.Series([given], dtype=object)}), Form({"t": TIMESTAMP}))
    assert rows.values["t"].dtype == np.dtype("datetime64[us]")
    assert rows.good[0] == (expected is not None)
    if expected:
        assert rows.values["t"][0] == np.datetime64(expected, "us")


@pytest.mark.parametrize("dtype", ["datetime64[s]", "datetime64[ns]", "datetime64[us, Europe/Paris]"])
def test_times_are_read_from_any_dtype_of_pandas(dtype):
    column = pd.Series([pd.Timestamp("2024-02-29"), pd.NaT]).astype("datetime64[ns]")
    column = column.dt.tz_localize("Europe/Paris").astype(dtype) if "," in dtype else column.astype(dtype)
    rows = read_rows(pd.DataFrame({"t": column}), Form({"t": TIMESTAMP}, frozenset("t")))
    hour = "2024-02-28T23:00" if "," in dtype else "2024-02-29T00:00"
    assert rows.good.all()
    assert rows.values["t"][0] == np.datetime64(hour, "us")
    assert np.isnat(rows.values["t"][1])
    day = read_rows(pd.DataFrame({"t": column}), Form({"t": DATE}, frozenset("t")))
    assert day.good.tolist() == ["," not in dtype, True]
