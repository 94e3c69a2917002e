"""What a value is: a whole number, a finite number or a text; and records read by these rules."""

import datetime
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .form import Unreadable

INTEGER, DOUBLE, TEXT = "integer", "double", "string"

# A number in text: ASCII digits, a point, an exponent. To Java "1d" is one too, to Python "1_000".
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(NUMBER)
_DIGITS = re.compile(r"[+-]?[0-9]+")
# Python refuses to read longer integers, and none of them has 64 bits, unless by its zeros.
LONGEST = 4000

# What is around a text and no part of it.
BLANKS = " \t"
# A boolean is one of two texts, however a file spells it.
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_BOOLEAN = dict.fromkeys(TRUE, "true") | dict.fromkeys(FALSE, "false")

# ONNX has no null. No category is empty, so an empty text is scored as one that was never seen, which is
# what the Spark pipeline makes of a null. The least integer of 64 bits, which is read as none, and NaN
# are the same of numbers that are categories.
NO_TEXT, NO_INTEGER, NO_NUMBER = "", -(2**63), float("nan")
LEAST, MOST = -(2**63) + 1, 2**63 - 1
SHOWN = 60


class Rows(NamedTuple):
    """Rows as they were read.

    Attributes:
        values: of each column, in its own type; where a row is not good, anything of that type.
        good: which rows can be scored.
        reasons: what is wrong with each row, None where nothing is.
    """

    values: dict[str, np.ndarray]
    good: np.ndarray
    reasons: np.ndarray


def read_rows(
    frame: pd.DataFrame, columns: Mapping[str, str], optional: frozenset[str] = frozenset()
) -> Rows:
    """Read records: a value is taken for what it is, or its row is not good.

    An integer is a number that is whole (39 or 39.0) and has 64 bits, a double one that is finite;
    True is neither, nor is "39". A text has no blanks around it: they are taken off. Of what is no
    text a boolean, an integer and a date are read as theirs (true, 5, 2024-02-29). Any text and any
    number of the right type is taken, seen in training or not. Columns that are not asked for are
    ignored.

    Args:
        frame: records.
        columns: names of the columns that a record must have, and the type of each: INTEGER, DOUBLE
            or TEXT.
        optional: columns of numbers that may be missing, or NaN; a text always may.

    Raises:
        Unreadable: a column is missing, or is there twice.
    """
    names = frame.columns.tolist()
    for name in columns:
        found = names.count(name)
        if found != 1:
            how = f"there {found} times" if found else "missing"
            raise Unreadable(f"column {name!r} is {how}")
    values = {}
    reasons: np.ndarray = np.full(len(frame), None, dtype=object)
    for name, kind in columns.items():
        values[name], found_wrong = READERS[kind](frame[name], name in optional)
        for row, what in found_wrong.items():
            reasons[row] = reasons[row] or f"column {name!r} {what}"
    return Rows(values, pd.isna(reasons), reasons)


def refusal(rows: Rows) -> str | None:
    """Say what is wrong with the first row that is not good, and how many there are; None if all are."""
    if rows.good.all():
        return None
    bad = np.flatnonzero(~rows.good)
    more = f" ({len(bad)} rows are wrong in all)" if len(bad) > 1 else ""
    return f"row {bad[0] + 1} of {len(rows.good)}: {rows.reasons[bad[0]]}{more}"


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, and not too long."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def plain_text(text: str) -> str:
    """Return a text without the blanks around it; of a boolean, its one spelling."""
    text = text.strip(BLANKS)
    return _BOOLEAN.get(text, text)


def parse_number(text: str) -> Any:
    """Return the number that a text is, an int where it has digits alone; else the text itself."""
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
            # To an index a zero below nothing would be another category.
            return values + 0.0, {}
    null = NO_NUMBER if optional else None
    return _read_each(column, _finite, "a finite number", np.float64, null)


def _read_texts(column: pd.Series, optional: bool) -> tuple[np.ndarray, dict[int, str]]:
    values = column.to_numpy(object)
    cells = values.tolist()
    if set(map(type, cells)) == {str}:
        # Few texts are different: they are looked at, not the rows.
        found = {cell: _text(cell) for cell in set(cells)}
        if None not in found.values():
            if all(cell == text for cell, text in found.items()):
                return values, {}
            return np.array([found[cell] for cell in cells], dtype=object), {}
    return _read_each(column, _text, "a text", object, NO_TEXT)


def _read_each(
    column: pd.Series, reader: Callable[[Any], Any], expected: str, dtype: type, null: Any
) -> tuple[np.ndarray, dict[int, str]]:
    """Read value by value: `reader` gives one back in its type, or None where it is of another."""
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
        # Half a surrogate pair is text to JSON, but to nothing else.
        return text if text.isascii() or text == text.encode(errors="replace").decode() else None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    return None


READERS = {INTEGER: _read_integers, DOUBLE: _read_doubles, TEXT: _read_texts}
