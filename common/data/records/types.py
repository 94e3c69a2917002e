"""The types of Parquet in which a column's values may be stored."""

from pyspark.sql import Column
from pyspark.sql import types as T

from common.data.reading import BOOLEAN, DATE, TEXT, TIMESTAMP, Unreadable

MOMENTS = (T.DateType, T.TimestampType, T.TimestampNTZType)


def check_type(found: T.DataType, kind: str) -> None:
    """Check that values of a type can be valid for a kind of column.

    Raises:
        Unreadable: None of them is.
    """
    # Texts may mark what is missing, or be what a number, a date or a label is written as.
    if isinstance(found, (T.NullType, T.StringType)):
        return
    if kind in (TEXT, BOOLEAN):
        if isinstance(found, (T.NumericType, T.BooleanType)) or (
            kind == TEXT and isinstance(found, T.DateType)
        ):
            return
        expected = (
            "text, whole numbers, dates or booleans"
            if kind == TEXT
            else "text, whole numbers or booleans"
        )
    elif kind in (DATE, TIMESTAMP):
        if isinstance(found, MOMENTS):
            return
        expected = "dates, timestamps or text"
    else:
        if isinstance(found, T.NumericType):
            return
        expected = "numbers"
    raise Unreadable(f"has type {found.simpleString()}, expected {expected}")


def as_given(column: Column, found: T.DataType) -> Column:
    """Return a column as Python reads it, given its type."""
    # Python has no dates outside the years 1 to 9999, which are what is wrong with such a row.
    return column.cast("string") if isinstance(found, MOMENTS) else column
