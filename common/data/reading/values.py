"""The rules for values (whole numbers, finite numbers and texts), and reading records by them."""

import datetime
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .form import Unreadable

INTEGER, DOUBLE, TEXT = "integer", "double", "string"
PERCENT, CURRENCY, BOOLEAN, DATE, TIMESTAMP = "percent", "currency", "boolean", "date", "timestamp"

# A number in text: ASCII digits, a point, an exponent. Java also accepts "1d", and Python "1_000".
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(NUMBER)
_DIGITS = re.compile(r"[+-]?[0-9]+")
# Python refuses to parse longer integers; apart from leading zeros, none of them fits in 64 bits.
LONGEST = 4000

# Stripped from both ends of a text.
BLANKS = " \t"
# A boolean becomes one of two texts, however the file spells it.
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_BOOLEAN = dict.fromkeys(TRUE, "true") | dict.fromkeys(FALSE, "false")

# ONNX has no null. No category is empty, so an empty text is scored as an unseen category, just as the
# Spark pipeline treats a null. The smallest 64-bit integer, which is never a valid value, and NaN do
# the same for numeric columns that are categories.
NO_TEXT, NO_INTEGER, NO_NUMBER = "", -(2**63), float("nan")
LEAST, MOST = -(2**63) + 1, 2**63 - 1
SHOWN = 60


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


def read_rows(
    frame: pd.DataFrame, columns: Mapping[str, str], optional: frozenset[str] = frozenset()
) -> Rows:
    """Read records; a row is good if every value is valid for its column.

    An integer is a whole number (39 or 39.0) that fits in 64 bits, and a double is a finite number.
    Neither True nor "39" is a number. Surrounding blanks are stripped from text. In a text column,
    booleans, integers and dates are read as their text (true, 5, 2024-02-29). Any text and any number of
    the right type is valid, whether or not it was seen in training. Other columns are ignored.

    Args:
        frame: The records.
        columns: Names of the columns that a record must have, and the type of each: INTEGER, DOUBLE or
            TEXT.
        optional: Names of the numeric columns whose values may be null or NaN; text may always be null.

    Raises:
        Unreadable: A column is missing, or is repeated.
    """
    names = frame.columns.tolist()
    for name in columns:
        found = names.count(name)
        if found != 1:
            how = f"present {found} times" if found else "missing"
            raise Unreadable(f"column {name!r} is {how}")
    values = {}
    reasons: np.ndarray = np.full(len(frame), None, dtype=object)
    for name, kind in columns.items():
        values[name], found_wrong = READERS[kind](frame[name], name in optional)
        for row, what in found_wrong.items():
            reasons[row] = reasons[row] or f"column {name!r} {what}"
    return Rows(values, pd.isna(reasons), reasons)


def refusal(rows: Rows) -> str | None:
    """Describe the first row that is not good, and count such rows; None if all rows are good."""
    if rows.good.all():
        return None
    bad = np.flatnonzero(~rows.good)
    more = f" ({len(bad)} invalid rows in total)" if len(bad) > 1 else ""
    return f"row {bad[0] + 1} of {len(rows.good)}: {rows.reasons[bad[0]]}{more}"


def shown(value: object) -> str:
    """Format a value for a message: on one line, and truncated if long."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def plain_text(text: str) -> str:
    """Strip surrounding blanks from a text, and normalise the spelling of booleans."""
    text = text.strip(BLANKS)
    return _BOOLEAN.get(text, text)


def parse_number(text: str) -> Any:
    """Parse a number: an int if the text has only digits and a sign, else a float; or keep the text."""
    if _DIGITS.fullmatch(text) and len(text) < LONGEST:
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _read_integers(column: pd.Series, optional: bool) -> tuple[np.ndarray, dict[int, str]]:
    if column.dtype.kind == "i" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy(np.int64)
        if optional or not (values == NO_INTEGER).any():
            return values, {}
    null = NO_INTEGER if optional else None
    return _read_each(column, _whole, "a whole number", np.int64, null)


def _read_doubles(column: pd.Series, optional: bool) -> tuple[np.ndarray, dict[int, str]]:
    if column.dtype.kind in "if" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy(np.float64)
        if (np.isfinite(values) | np.isnan(values) if optional else np.isfinite(values)).all():
            # Turns -0.0 into 0.0, since a category index would treat them as different values.
            return values + 0.0, {}
    null = NO_NUMBER if optional else None
    return _read_each(column, _finite, "a finite number", np.float64, null)


def _read_texts(column: pd.Series, optional: bool) -> tuple[np.ndarray, dict[int, str]]:
    values = column.to_numpy(object)
    cells = values.tolist()
    if set(map(type, cells)) == {str}:
        # Text columns have few distinct values, so it is faster to check those than every row.
        found = {cell: _text(cell) for cell in set(cells)}
        if None not in found.values():
            if all(cell == text for cell, text in found.items()):
                return values, {}
            return np.array([found[cell] for cell in cells], dtype=object), {}
    return _read_each(column, _text, "text", object, NO_TEXT)


def _read_each(
    column: pd.Series, reader: Callable[[Any], Any], expected: str, dtype: type, null: Any
) -> tuple[np.ndarray, dict[int, str]]:
    """Read value by value; `reader` returns the value in the column's type, or None if it is invalid."""
    values: np.ndarray = np.zeros(len(column), dtype=dtype)
    wrong = {}
    for row, value in enumerate(column.to_numpy(object)):
        if pd.api.types.is_scalar(value) and pd.isna(value):
            if null is None:
                wrong[row] = f"is null, expected {expected}"
            else:
                values[row] = null
            continue
        read = reader(value)
        if read is None:
            wrong[row] = f"is {shown(value)}, expected {expected}"
        else:
            values[row] = read
    return values, wrong


def _whole(value: Any) -> int | None:
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (float, np.floating, Decimal)):
        number = value if isinstance(value, Decimal) else float(value)
        if not np.isfinite(float(number)) or number != int(number):
            return None
    elif not isinstance(value, (int, np.integer)):
        return None
    return int(value) if LEAST <= int(value) <= MOST else None


def _finite(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number, Decimal)):
        return None
    try:
        number = float(value)
    except (OverflowError, TypeError):
        return None
    return number + 0.0 if np.isfinite(number) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        text = plain_text(value)
        # JSON accepts half a surrogate pair, but it cannot be encoded.
        return text if text.isascii() or text == text.encode(errors="replace").decode() else None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    return None


READERS = {INTEGER: _read_integers, DOUBLE: _read_doubles, TEXT: _read_texts}
