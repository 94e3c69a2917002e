"""Reading records: every value of every column, and what is wrong with a record."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .cells import MISSING, Reader, marked_infinities, marked_numbers, reader
from .form import Form
from .kinds import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    NO_INTEGER,
    NO_NUMBER,
    NO_TEXT,
    PERCENT,
    TEXT,
    TIMESTAMP,
    expected,
)
from .moments import DAY, MICROSECONDS, moments_of, shown_moment
from .places import find_keys, tells_apart, unique_names


class Rows(NamedTuple):
    """Rows that were read.

    Attributes:
        values: Values of each column, in the column's type; arbitrary in rows that are not good.
        good: Whether each row can be scored.
        reasons: What is wrong with each row; None for good rows.
    """

    values: dict[str, np.ndarray]
    good: np.ndarray
    reasons: np.ndarray


OWN = "own names"

# What a column's values are held as, and what stands for a missing one.
HELD: Mapping[str, tuple[type, Any]] = {
    INTEGER: (np.int64, NO_INTEGER),
    DOUBLE: (np.float64, NO_NUMBER),
    PERCENT: (np.float64, NO_NUMBER),
    CURRENCY: (np.float64, NO_NUMBER),
    BOOLEAN: (object, NO_TEXT),
    DATE: (np.int64, NO_INTEGER),
    TIMESTAMP: (np.int64, NO_INTEGER),
    TEXT: (object, NO_TEXT),
}


def is_missing(values: np.ndarray) -> np.ndarray:
    """Return where a column's values, as `read_rows` returns them, are missing."""
    if values.dtype == object:
        return np.asarray(values == NO_TEXT)
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.isnan(values) if values.dtype.kind == "f" else np.asarray(values == NO_INTEGER)


def read_rows(frame: pd.DataFrame, form: Form) -> Rows:
    """Read records; a row is good if every value is valid for its column.

    An integer is a whole number (39 or 39.0) that fits in 64 bits, and a double is a finite number.
    Neither True nor "39" is a number. A percentage, an amount, a date and a timestamp may be texts, and a
    boolean may be a text or 0 or 1. Surrounding blanks are stripped from text. In a text column,
    booleans, whole numbers and dates are read as their text (true, 5 for 5.0, 2024-02-29). Any text and
    any number of the right type is valid, whether or not it was seen in training. In every column, a
    null, an empty text and one of the form's markers are missing. Other columns are ignored.

    Args:
        frame: The records; a column has the form's name, or that of the form's files. See `own_named`.
        form: The columns that a record must have, and the kind of each.

    Returns:
        For each column, integers as int64, other numbers as float64, dates and timestamps as
        datetime64[us], and texts and booleans ("true" and "false") as str. A missing value is
        NO_INTEGER, NO_NUMBER, NaT or NO_TEXT.

    Raises:
        Unreadable: A column is missing, or is repeated.
    """
    values = {}
    reasons: np.ndarray = np.full(len(frame), None, dtype=object)
    if frame.attrs.get(OWN):
        keys: Mapping[str, Any] = {name: name for name in form.columns}
    else:
        frame = _told_apart(frame, form)
        keys = find_keys(frame.columns.tolist(), form)
    for name, key in keys.items():
        kind = form.columns[name]
        optional = name in form.optional or kind in (TEXT, BOOLEAN)
        found, wrong = _read_column(frame[key], kind, form, optional, form.units.get(name, ""))
        values[name] = found.view(MICROSECONDS) if kind in (DATE, TIMESTAMP) else found
        for row, what in wrong.items():
            reasons[row] = reasons[row] or f"column {form.in_file(name)!r} {what}"
    return Rows(values, pd.isna(reasons), reasons)


def own_named(frame: pd.DataFrame) -> pd.DataFrame:
    """Mark a frame whose columns have the form's own names, so that no other name is looked for.

    The files may call one column as another one is called here.
    """
    frame.attrs[OWN] = True
    return frame


def _told_apart(frame: pd.DataFrame, form: Form) -> pd.DataFrame:
    """Return a frame with names of their own for repeated ones, if the form knows them by these."""
    names = frame.columns.tolist()
    repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
    if not repeated or not all(isinstance(name, str) for name in names):
        return frame
    known = all(tells_apart(name, names, form) for name in repeated)
    return frame.set_axis(unique_names(names), axis=1) if known else frame


def refusal(rows: Rows) -> str | None:
    """Describe the first row that is not good, and count such rows; None if all rows are good."""
    if rows.good.all():
        return None
    bad = np.flatnonzero(~rows.good)
    more = f" ({len(bad)} invalid rows in total)" if len(bad) > 1 else ""
    return f"row {bad[0] + 1} of {len(rows.good)}: {rows.reasons[bad[0]]}{more}"


def _read_column(
    column: pd.Series, kind: str, form: Form, optional: bool, unit: str
) -> tuple[np.ndarray, dict[int, str]]:
    whole = _read_at_once(column, kind, form, optional, unit)
    return (whole, {}) if whole is not None else _read_each(column, kind, form, optional, unit)


def _read_at_once(
    column: pd.Series, kind: str, form: Form, optional: bool, unit: str
) -> np.ndarray | None:
    """Read a column whose type alone says what its values are; None if one of them needs a look."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _read_distinct(column, kind, form, optional, unit)
    if isinstance(column.dtype, pd.Int64Dtype) and kind == INTEGER:
        return _read_integers(column, form, optional)
    of = column.dtype.kind if isinstance(column.dtype, np.dtype) else ""
    dtype, null = HELD[kind]
    values: np.ndarray | None = None
    if kind in (DATE, TIMESTAMP) and of == "M":
        values = moments_of(column.to_numpy())
        at_midnight = kind == TIMESTAMP or values is None or (values % DAY == 0) | (values == null)
        values = values if np.all(at_midnight) else None
    elif kind == INTEGER and of == "i":
        values = column.to_numpy(np.int64)
    elif dtype is np.float64 and of in "if" and of:
        # Turns -0.0 into 0.0, since a category index would treat them as different values.
        values = column.to_numpy(np.float64) + 0.0
        if infinite := marked_infinities(form):
            values[np.isin(values, infinite)] = np.nan
        values = None if np.isinf(values).any() else values
    if values is None:
        return None
    markers = marked_numbers(kind, form)
    missing = np.isnan(values) if dtype is np.float64 else values == null
    if kind == INTEGER and missing.any():
        return None
    if markers:
        missing |= np.isin(values, markers)
    if missing.any() and not optional:
        return None
    return np.where(missing, null, values) if markers else values


def _read_integers(column: pd.Series, form: Form, optional: bool) -> np.ndarray | None:
    missing, values = column.isna().to_numpy(), column.to_numpy(np.int64, na_value=0)
    if (values == NO_INTEGER).any():
        return None
    missing |= np.isin(values, marked_numbers(INTEGER, form))
    return None if missing.any() and not optional else np.where(missing, NO_INTEGER, values)


def _read_distinct(
    column: pd.Series, kind: str, form: Form, optional: bool, unit: str
) -> np.ndarray | None:
    read, (dtype, null) = reader(kind, form, unit), HELD[kind]
    # A missing value's place is -1, the last.
    found = [*(_read_one(value, read) for value in column.cat.categories), MISSING]
    if any(value is None for value in found):
        return None
    places = column.cat.codes.to_numpy()
    missing = np.array([value is MISSING for value in found])[places]
    if missing.any() and not optional:
        return None
    return np.array([null if value is MISSING else value for value in found], dtype)[places]


def _read_one(value: Any, read: Reader) -> Any:
    is_null = not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value)
    return MISSING if is_null else read(value)


def _read_each(
    column: pd.Series, kind: str, form: Form, optional: bool, unit: str
) -> tuple[np.ndarray, dict[int, str]]:
    """Read value by value; a text only once, since a column has few distinct ones."""
    read, wanted, (dtype, null) = reader(kind, form, unit), expected(kind, unit), HELD[kind]
    values: np.ndarray = np.zeros(len(column), dtype=dtype)
    wrong: dict[int, str] = {}
    texts: dict[str, Any] = {}
    for row, value in enumerate(column.to_numpy(object)):
        if isinstance(value, str):
            found = texts[value] if value in texts else texts.setdefault(value, read(value))
        else:
            found = _read_one(value, read)
        if found is None:
            wrong[row] = f"is {shown_moment(value)}, expected {wanted}"
        elif found is not MISSING:
            values[row] = found
        elif optional:
            values[row] = null
        else:
            wrong[row] = f"is null, expected {wanted}"
    return values, wrong
