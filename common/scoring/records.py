"""Records of a file to be scored: read as they are, and told good from bad where they lie.

What makes a record bad is `read_rows` of the model. Spark decides the same by columns, for a model
scores a batch as a whole or not at all; the few bad ones then go through `read_rows` for their reason.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.functions import arrow_udf

from common.errors import UserError
from common.file_system import data_files
from common.row_hash import quoted
from common.scoring.keep import KeptModel
from common.scoring.portable_model import INTEGER, TEXT, read_rows

# The line of CSV that has not one field a column, else null.
LINE = "line"
REASON = "reason"

CSV = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": LINE,
    "columnPruning": "false",
    "quote": '"',
    "escape": '"',
    "ignoreLeadingWhiteSpace": "true",
    "ignoreTrailingWhiteSpace": "true",
}
INFINITE = float("inf")


@dataclass(frozen=True)
class Records:
    """Records as they were read.

    Attributes:
        frame: of CSV all columns are texts, and LINE is one more.
        names: of the records' own columns, in order.
        values: of each column that a model takes, in its own type; null where it has none.
        good: whether a model takes the record.
        reason: what is wrong with one that is not good.
    """

    frame: DataFrame
    names: list[str]
    values: Mapping[str, Column]
    good: Column
    reason: Column


def read_records(spark: SparkSession, uri: str, model: KeptModel) -> Records:
    """Read CSV or Parquet, a file or a folder of them.

    A CSV file has a header, or it is as the data set's own files are: the columns of `model.layout`
    in order, all of them or all but the label. Spaces around a field are no part of it.

    Raises:
        UserError: there is nothing, or a column that the model takes is missing.
    """
    files = data_files(spark, uri)
    if not files:
        raise UserError(f"{uri} has no data")
    is_parquet = ".parquet" in files[0].rpartition("/")[2]
    frame, names = _parquet(spark, uri) if is_parquet else _csv(spark, uri, model)
    for name in model.columns:
        if name not in names:
            raise UserError(
                f"{uri} has no column {name!r}, which the model takes; it has {_listed(names)}"
            )
    read_cell = _parquet_cell if is_parquet else _csv_cell
    try:
        cells = {name: read_cell(frame, name, kind) for name, kind in model.columns.items()}
    except UserError as error:
        raise UserError(f"{uri} {error}") from None
    good = reduce(Column.__and__, [cell.good for cell in cells.values()])
    line = F.lit(None).cast("string")
    if not is_parquet:
        line = quoted(LINE)
        good = line.isNull() & good
    given = [cell.given for cell in cells.values()]
    reason = _reasons(model.columns, len(names), model.separator)(line, *given)
    return Records(frame, names, {name: cell.value for name, cell in cells.items()}, good, reason)


def _parquet(spark: SparkSession, uri: str) -> tuple[DataFrame, list[str]]:
    frame = spark.read.parquet(uri)
    return frame, frame.columns


def _csv(spark: SparkSession, uri: str, model: KeptModel) -> tuple[DataFrame, list[str]]:
    options: dict[str, Any] = {**CSV, "sep": model.separator}
    first = spark.read.options(**options).csv(uri).first()
    fields = [field or "" for field in first or ()]
    is_header = bool(set(fields) & set(model.columns))
    layouts = {len(part): part for part in (_without(model.layout, model.label), model.layout)}
    if not is_header and len(fields) not in layouts:
        raise UserError(
            f"{uri} has no header with the column {next(iter(model.columns))!r}, nor {len(model.layout)} "
            f"fields a line as the data set's own files have; its first line has {len(fields)}"
        )
    given = fields if is_header else list(layouts[len(fields)])
    # pandas leaves an index without a name.
    names = [name or f"_c{place}" for place, name in enumerate(given)]
    folded = [name.lower() for name in names]
    for name in names:
        if folded.count(name.lower()) > 1:
            raise UserError(f"{uri} has the column {name!r} twice (case is ignored)")
    schema = T.StructType([T.StructField(name, T.StringType()) for name in [*given, LINE]])
    reader = spark.read.schema(schema).options(**options)
    # Checked, so that a folder's files cannot have their columns in different orders.
    reader = reader.options(header=is_header, enforceSchema=False)
    return reader.csv(uri).toDF(*names, LINE), names


def _without(names: Sequence[str], label: str) -> list[str]:
    return [name for name in names if name != label]


def _listed(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")


@dataclass(frozen=True)
class _Cell:
    """A column as the model takes it, whether it does, and what `read_rows` is to be shown."""

    value: Column
    good: Column
    given: Column


def _csv_cell(frame: DataFrame, name: str, kind: str) -> _Cell:
    text = quoted(name)
    if kind == TEXT:
        return _Cell(text, _is_text(text), text)
    exact = text.try_cast("bigint")
    # Java takes "39d" for a number, too.
    number = F.when(~F.lower(F.right(text, F.lit(1))).isin("d", "f"), text.try_cast("double"))
    value = F.coalesce(exact, _whole(number)) if kind == INTEGER else _finite(number)
    given = F.struct(exact.alias("exact"), number.alias("number"), text.alias("text"))
    return _Cell(value, value.isNotNull(), given)


def _parquet_cell(frame: DataFrame, name: str, kind: str) -> _Cell:
    column, found = quoted(name), frame.schema[name].dataType
    if kind == TEXT:
        if isinstance(found, T.StringType):
            return _Cell(column, _is_text(column), column)
        return _Cell(F.lit(None).cast("string"), column.isNull(), column)
    if isinstance(found, T.DecimalType):
        column, found = column.cast("double"), T.DoubleType()
    if isinstance(found, T.IntegralType):
        value = column.cast("bigint" if kind == INTEGER else "double")
    elif isinstance(found, T.FractionalType):
        value = _whole(column.cast("double")) if kind == INTEGER else _finite(column.cast("double"))
    else:
        raise UserError(f"has {found.simpleString()} in column {name!r}, expected numbers")
    return _Cell(value, value.isNotNull(), column)


def _is_text(text: Column) -> Column:
    return text.isNull() | ~(text.startswith(" ") | text.endswith(" "))


def _whole(number: Column) -> Column:
    fits = (number >= -(2.0**63)) & (number < 2.0**63)
    return F.when(fits & (F.rint(number) == number), number.try_cast("bigint"))


def _finite(number: Column) -> Column:
    # To Spark what is not a number is more than infinite.
    return F.when((number > -INFINITE) & (number < INFINITE), number)


def _reasons(columns: Mapping[str, str], width: int, separator: str) -> Any:
    kinds = dict(columns)

    @arrow_udf("string")  # type: ignore[call-overload]
    def reasons(line: pa.Array, *given: pa.Array) -> pa.Array:
        cells = [[_cell(value) for value in array.to_pylist()] for array in given]
        frame = pd.DataFrame(
            {name: pd.Series(cell, dtype=object) for name, cell in zip(kinds, cells, strict=True)}
        )
        found = read_rows(frame, kinds).reasons
        for row, text in enumerate(line.to_pylist()):
            if text is not None:
                found[row] = _line_reason(text, width, separator)
        return pa.array(np.asarray(found, dtype=object), pa.string())

    return reasons


def _cell(value: Any) -> Any:
    """Return a number of CSV as the number that it is, else as its text."""
    if isinstance(value, dict) and value.keys() == {"exact", "number", "text"}:
        return next((found for found in value.values() if found is not None), None)
    return value


def _line_reason(line: str, width: int, separator: str) -> str:
    found = len(next(csv.reader([line], delimiter=separator, skipinitialspace=True), []))
    return f"has {found} fields, expected {width}" if found != width else "cannot be parsed"
