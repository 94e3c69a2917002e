"""The rules of `common/data/reading` for values, as Spark column expressions."""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.reading import DOUBLE, FALSE, INTEGER, NUMBER, TEXT, TRUE, Unreadable

INFINITE = float("inf")


@dataclass(frozen=True)
class Cell:
    """A column of records that was read.

    Attributes:
        value: The value, in the column's type; null if it is missing or invalid.
        good: Whether the input is valid: a value, or missing where that is allowed.
    """

    value: Column
    good: Column


def text_cell(text: Column, kind: str, missing: str, optional: bool) -> Cell:
    """Read a field of CSV without surrounding blanks and quotes; an empty field is null."""
    if kind == TEXT:
        return Cell(_plain(text), F.lit(True))
    given = F.when(text != missing, text)
    number = F.when(given.rlike(rf"\A(?:{NUMBER})\z"), given.try_cast("double"))
    if kind == INTEGER:
        digits = F.when(given.rlike(r"\A[+-]?[0-9]+\z"), given.try_cast("bigint"))
        value = _in_range(F.coalesce(digits, _whole(number)))
    else:
        value = _finite(number)
    return Cell(value, value.isNotNull() | given.isNull() if optional else value.isNotNull())


def typed_cell(column: Column, found: T.DataType, kind: str, optional: bool) -> Cell:
    """Read a column that already has a Spark type, such as one of Parquet.

    Raises:
        Unreadable: Values of this type are never valid for the column.
    """
    if isinstance(found, T.NullType):
        return Cell(column.cast(_DDL[kind]), F.lit(optional or kind == TEXT))
    if kind == TEXT:
        if isinstance(found, T.StringType):
            text = F.trim(column, F.lit(" \t"))
            return Cell(_plain(F.when(text != "", text)), F.lit(True))
        if isinstance(found, (T.BooleanType, T.IntegralType, T.DateType)):
            return Cell(column.cast("string"), F.lit(True))
        raise Unreadable(f"has type {found.simpleString()}, expected text, integers, dates or booleans")
    if not isinstance(found, T.NumericType):
        raise Unreadable(f"has type {found.simpleString()}, expected numbers")
    given = column
    if isinstance(found, (T.DoubleType, T.FloatType)):
        given = F.when(~F.isnan(column), column.cast("double"))
    if kind == DOUBLE:
        value = _finite(given.cast("double"))
    elif isinstance(found, T.IntegralType):
        value = _in_range(given.cast("bigint"))
    elif isinstance(found, T.DecimalType):
        value = _in_range(F.when(F.floor(given) == given, given.try_cast("bigint")))
    else:
        value = _in_range(_whole(given))
    return Cell(value, value.isNotNull() | given.isNull() if optional else value.isNotNull())


_DDL = {TEXT: "string", INTEGER: "bigint", DOUBLE: "double"}


def _plain(text: Column) -> Column:
    known = F.when(text.isin(*TRUE), F.lit("true")).when(text.isin(*FALSE), F.lit("false"))
    return known.otherwise(text)


def _whole(number: Column) -> Column:
    fits = (number > -(2.0**63)) & (number < 2.0**63)
    return F.when(fits & (F.rint(number) == number), number.try_cast("bigint"))


def _in_range(number: Column) -> Column:
    # The smallest 64-bit integer is reserved: it represents null in portable models.
    return F.when(number > -(2**63), number)


def _finite(number: Column) -> Column:
    # Spark orders NaN above infinity, so NaN is excluded too. Adding 0.0 turns -0.0 into 0.0.
    return F.when((number > -INFINITE) & (number < INFINITE), number + F.lit(0.0))
