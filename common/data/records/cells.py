"""The rules of `common/data/reading` for values, as Spark column expressions."""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.reading import (
    BLANKS,
    BOOLEAN,
    CURRENCY,
    DATE,
    DIGITS,
    DOUBLE,
    FALSE,
    INTEGER,
    NO,
    PERCENT,
    TEXT,
    TIMESTAMP,
    TRUE,
    YES,
    Form,
    Unreadable,
    marked_numbers,
    money_pattern,
    number_pattern,
    percent_pattern,
)
from common.data.records.moments import moment_value, parsed_moment
from common.data.spec import TYPES

INFINITE = float("inf")
# The rules of a table of which nothing is said but its columns.
PLAIN = Form({})
DDL = {kind: type().simpleString() for kind, type in TYPES.items()}
MOMENTS = (T.DateType, T.TimestampType, T.TimestampNTZType)


@dataclass(frozen=True)
class Cell:
    """A column of records that was read.

    Attributes:
        value: The value, in the column's type; null if it is missing or invalid.
        good: Whether the input is valid: a value, or missing where that is allowed.
    """

    value: Column
    good: Column


def text_cell(text: Column, kind: str, optional: bool, form: Form = PLAIN) -> Cell:
    """Read a field of CSV without surrounding blanks and quotes; an empty field is null."""
    given = F.when(~text.isin(*sorted(form.markers)), text)
    if kind == TEXT:
        return Cell(_plain(given), F.lit(True))
    if kind == BOOLEAN:
        word = F.lower(given)
        value = F.when(word.isin(*YES), F.lit("true")).when(word.isin(*NO), F.lit("false"))
        return _checked(value, given, optional=True)
    if kind in (DATE, TIMESTAMP):
        return _checked(moment_value(parsed_moment(given), kind), given, optional)
    if kind == INTEGER:
        digits = F.when(given.rlike(rf"\A{DIGITS}\z"), given.try_cast("bigint"))
        value = _in_range(F.coalesce(digits, _whole(_plain_number(given, form.decimal))))
    else:
        value = _finite(_NUMBERS[kind](given, form.decimal))
    return _unmarked(value, given, kind, optional, form)


def typed_cell(column: Column, found: T.DataType, kind: str, optional: bool, form: Form = PLAIN) -> Cell:
    """Read a column that already has a Spark type, such as one of Parquet.

    Args:
        column: The column.
        found: Its type.
        kind: The kind that it is read as.
        optional: Whether a value may be missing; a text or boolean always may.
        form: What marks a missing value, and how numbers are written in text.

    Raises:
        Unreadable: Values of this type are never valid for the column.
    """
    optional = optional or kind in (TEXT, BOOLEAN)
    if isinstance(found, T.NullType):
        return Cell(F.lit(None).cast(DDL[kind]), F.lit(optional))
    if isinstance(found, T.StringType):
        text = F.trim(column, F.lit(BLANKS))
        if kind not in (INTEGER, DOUBLE):
            return text_cell(text, kind, optional, form)
        # A number in a table of typed values is no text, but a missing one may be.
        given = F.when(~text.isin(*sorted(form.markers)), text)
        return _checked(F.lit(None).cast(DDL[kind]), given, optional)
    if kind in (TEXT, BOOLEAN):
        if isinstance(found, T.NumericType) and not isinstance(found, T.IntegralType):
            return _whole_text_cell(column, found, kind, form)
        if _has_one_text(found) or (kind == TEXT and isinstance(found, T.DateType)):
            return text_cell(column.cast("string"), kind, optional, form)
        more = "text, whole numbers, dates or booleans"
        more = more if kind == TEXT else more.replace(" dates", "")
        raise Unreadable(f"has type {found.simpleString()}, expected {more}")
    if kind in (DATE, TIMESTAMP):
        if not isinstance(found, MOMENTS):
            raise Unreadable(f"has type {found.simpleString()}, expected dates, timestamps or text")
        micros = F.unix_micros(column.cast("timestamp"))
        return _checked(moment_value(micros, kind), column, optional)
    if not isinstance(found, T.NumericType):
        raise Unreadable(f"has type {found.simpleString()}, expected numbers")
    return _number_cell(column, found, kind, optional, form)


def _number_cell(column: Column, found: T.DataType, kind: str, optional: bool, form: Form) -> Cell:
    given = column
    if isinstance(found, (T.DoubleType, T.FloatType)):
        given = F.when(~F.isnan(column), column.cast("double"))
    if kind != INTEGER:
        value = _finite(given.cast("double"))
    elif isinstance(found, T.IntegralType):
        value = _in_range(given.cast("bigint"))
    elif isinstance(found, T.DecimalType):
        value = _in_range(F.when(F.floor(given) == given, given.try_cast("bigint")))
    else:
        value = _in_range(_whole(given))
    return _unmarked(value, given, kind, optional, form)


def _whole_text_cell(column: Column, found: T.DataType, kind: str, form: Form) -> Cell:
    """Read a whole number that is stored as a float or a decimal as the text of an integer."""
    given, text = whole_text(column, found)
    cell = text_cell(text, kind, True, form)
    return Cell(cell.value, cell.good & (text.isNotNull() | given.isNull()))


def whole_text(column: Column, found: T.DataType) -> tuple[Column, Column]:
    """Return the values of floats or decimals, null for NaN, and the texts of those that are whole."""
    if isinstance(found, T.DecimalType):
        whole = F.when(F.floor(column) == column, column.cast(T.DecimalType(38, 0)))
        return column, whole.cast("string")
    given = F.when(~F.isnan(column), column.cast("double"))
    return given, _in_range(_whole(given)).cast("string")


def _has_one_text(found: T.DataType) -> bool:
    return isinstance(found, (T.BooleanType, T.IntegralType))


def _checked(value: Column, given: Column, optional: bool) -> Cell:
    return Cell(value, value.isNotNull() | given.isNull() if optional else value.isNotNull())


def _unmarked(value: Column, given: Column, kind: str, optional: bool, form: Form) -> Cell:
    """Return a number's cell, in which a number that marks a missing value is missing."""
    markers = marked_numbers(kind, form)
    if not markers:
        return _checked(value, given, optional)
    kept = F.when(~value.isin(*markers), value)
    return Cell(kept, value.isNotNull() | given.isNull() if optional else kept.isNotNull())


def _plain(text: Column) -> Column:
    known = F.when(text.isin(*TRUE), F.lit("true")).when(text.isin(*FALSE), F.lit("false"))
    return known.otherwise(text)


def _pointed(text: Column, decimal: str) -> Column:
    return text if decimal == "." else F.translate(text, decimal, ".")


def _plain_number(text: Column, decimal: str) -> Column:
    number = F.when(text.rlike(rf"\A(?:{number_pattern(decimal)})\z"), text)
    return _pointed(number, decimal).try_cast("double")


def _percent(text: Column, decimal: str) -> Column:
    pattern = rf"\A{percent_pattern(decimal)}\z"
    number = F.when(text.rlike(pattern), F.regexp_extract(text, pattern, 1))
    return _pointed(number, decimal).try_cast("double")


def _money(text: Column, decimal: str) -> Column:
    amount = F.when(text.rlike(rf"\A(?:{money_pattern(decimal)})\z"), text)
    digits = F.regexp_replace(amount, f"[^0-9{decimal}]", "")
    size = _pointed(digits, decimal).try_cast("double")
    is_negative = amount.contains("-") | amount.startswith("(")
    signed = F.when(is_negative, -size).otherwise(size)
    return F.coalesce(_plain_number(text, decimal), signed)


_NUMBERS = {DOUBLE: _plain_number, PERCENT: _percent, CURRENCY: _money}


def _whole(number: Column) -> Column:
    fits = (number > -(2.0**63)) & (number < 2.0**63)
    return F.when(fits & (F.rint(number) == number), number.try_cast("bigint"))


def _in_range(number: Column) -> Column:
    # The smallest 64-bit integer is reserved: it represents null in portable models.
    return F.when(number > -(2**63), number)


def _finite(number: Column) -> Column:
    # Spark orders NaN above infinity, so NaN is excluded too. Adding 0.0 turns -0.0 into 0.0.
    return F.when((number > -INFINITE) & (number < INFINITE), number + F.lit(0.0))
