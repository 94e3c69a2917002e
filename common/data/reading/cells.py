"""What one value is to a column: the value in the column's type, MISSING, or None if it is invalid."""

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from .form import Form
from .kinds import (
    BLANKS,
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    LEAST,
    MOST,
    PERCENT,
    TEXT,
    TIMESTAMP,
)
from .moments import DAY, moment_of, parse_moment
from .numbers import infinity_of, parse_money, parse_number, parse_percent, unit_of

# A boolean in a text column becomes one of two texts, however the file spells it.
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_SPELLED = dict.fromkeys(TRUE, "true") | dict.fromkeys(FALSE, "false")
# The words of a boolean column, in lower case.
YES, NO = ("true", "yes", "t", "y", "1"), ("false", "no", "f", "n", "0")
_WORDS = dict.fromkeys(YES, "true") | dict.fromkeys(NO, "false")

MISSING = object()
Reader = Callable[[Any], Any]


def reader(kind: str, form: Form, unit: str = "") -> Reader:
    """Return the function that reads the values of a kind of column, which are not null.

    Args:
        kind: The kind.
        form: The form of the records.
        unit: Of amounts, the currency that they are in; empty if it is not known.
    """
    parse, missing, numbers = _KINDS[kind], form.markers, marked_numbers(kind, form)
    infinite = marked_infinities(form)

    def read(value: Any) -> Any:
        if kind in (TEXT, BOOLEAN):
            value = _as_text(value)
        if isinstance(value, str):
            value = value.strip(BLANKS)
            if value in missing:
                return MISSING
            # The same number of another currency is another amount.
            if unit and unit_of(value) not in ("", unit):
                return None
        elif isinstance(value, (float, np.floating)) and value in infinite:
            return MISSING
        found = parse(value, form.decimal)
        return MISSING if found in numbers else found

    return read


def marked_numbers(kind: str, form: Form) -> tuple[int | float, ...]:
    """Return the numbers that mark a missing value in this kind of column, such as -999."""
    if kind not in NUMBERS:
        return ()
    given = (parse_number(text, form.decimal) for text in sorted(form.markers))
    read = (_KINDS[kind](number, form.decimal) for number in given if not isinstance(number, str))
    return tuple(number for number in read if number is not None)


def marked_infinities(form: Form) -> tuple[float, ...]:
    """Return the infinite numbers that mark a missing value in columns of numbers."""
    found = (infinity_of(text) for text in sorted(form.markers))
    return tuple({number for number in found if number is not None})


def plain_text(text: str) -> str:
    """Strip surrounding blanks from a text, and normalise the spelling of booleans."""
    text = text.strip(BLANKS)
    return _SPELLED.get(text, text)


def boolean_text(word: str) -> str | None:
    """Return the text of a word of a boolean column, in any case; None if it is none."""
    return _WORDS.get(word.lower())


def _whole(value: Any, decimal: str) -> int | None:
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (float, np.floating, Decimal)):
        number = value if isinstance(value, Decimal) else float(value)
        if not np.isfinite(float(number)) or number != int(number):
            return None
    elif not isinstance(value, (int, np.integer)):
        return None
    return int(value) if LEAST <= int(value) <= MOST else None


def _finite(value: Any, decimal: str) -> float | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number, Decimal)):
        return None
    try:
        number = float(value)
    except (OverflowError, TypeError):
        return None
    # Turns -0.0 into 0.0, since a category index would treat them as different values.
    return number + 0.0 if np.isfinite(number) else None


def _percent(value: Any, decimal: str) -> float | None:
    return _finite(parse_percent(value, decimal) if isinstance(value, str) else value, decimal)


def _money(value: Any, decimal: str) -> float | None:
    return _finite(parse_money(value, decimal) if isinstance(value, str) else value, decimal)


def _as_text(value: Any) -> str | None:
    """Return the text of a value that has only one, whatever wrote it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    # Spark reads an unsigned integer of 64 bits as a decimal.
    if isinstance(value, Decimal):
        return str(int(value)) if value.is_finite() and value == value.to_integral_value() else None
    # pandas holds integers beside a missing one as floats.
    if isinstance(value, (float, np.floating)):
        whole = _whole(value, ".")
        return None if whole is None else str(whole)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    return None


def _text(text: str | None, decimal: str) -> str | None:
    if text is None:
        return None
    text = _SPELLED.get(text, text)
    # JSON accepts half a surrogate pair, but it cannot be encoded.
    return text if text.isascii() or text == text.encode(errors="replace").decode() else None


def _boolean(text: str | None, decimal: str) -> str | None:
    return None if text is None else boolean_text(text)


def _timestamp(value: Any, decimal: str) -> int | None:
    return parse_moment(value) if isinstance(value, str) else moment_of(value)


def _date(value: Any, decimal: str) -> int | None:
    micros = _timestamp(value, decimal)
    return micros if micros is not None and micros % DAY == 0 else None


NUMBERS = (INTEGER, DOUBLE, PERCENT, CURRENCY)
_KINDS: Mapping[str, Callable[[Any, str], Any]] = {
    INTEGER: _whole,
    DOUBLE: _finite,
    PERCENT: _percent,
    CURRENCY: _money,
    BOOLEAN: _boolean,
    DATE: _date,
    TIMESTAMP: _timestamp,
    TEXT: _text,
}
