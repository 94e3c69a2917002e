"""A file or folder of CSV or Parquet as one table of records, with the validity of each row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

from common.data.reading import (
    TEXT,
    Form,
    Header,
    Unreadable,
    encoding_name,
    find_named,
    read_records,
    read_rows,
)
from common.data.records.cells import Cell, text_cell, typed_cell
from common.data.records.csv_files import (
    RECORD,
    CsvFiles,
    Place,
    UnreadableFile,
    field_text,
    fields_of,
    first_place,
    open_csv,
)
from common.data.row_hash import quoted
from common.errors import UserError
from common.machine.file_system import data_files, literal

FITS = "__fits"
# With more numeric columns Spark would generate a method that is too long for Java (from about twenty
# columns on), and would print it all, with a trace, before falling back.
MOST_NUMBERS = 8


@dataclass(frozen=True)
class Table:
    """Records that were read.

    Attributes:
        frame: All columns of the files (text for CSV), and some that this project adds.
        names: Names of the columns of the files, in order.
        cells: For each required column, the value in the column's type and its validity.
        fits: Whether a record is well-formed and has one field per column.
        reason: What is wrong with a record that is not good.
        told: A description of how the files are read, for the user.
        place: Returns the file, line and text of the first of some rows of `frame`; None for Parquet.
        over_lines: Whether records span lines.
    """

    frame: DataFrame
    names: list[str]
    cells: Mapping[str, Cell]
    fits: Column
    reason: Column
    told: str
    place: Callable[[DataFrame], Place | None]
    over_lines: bool

    @property
    def good(self) -> Column:
        """Whether a record is well-formed, has one field per column, and each value is valid."""
        return reduce(Column.__and__, [cell.good for cell in self.cells.values()], self.fits)

    @property
    def is_csv(self) -> bool:
        """Whether the records come from CSV, where each record has a raw text."""
        return RECORD in self.frame.columns

    @property
    def record(self) -> Column:
        """The raw text of a CSV record."""
        return quoted(RECORD)


def open_table(spark: SparkSession, uri: str, form: Form) -> Table:
    """Open a file or folder of CSV or Parquet; the name of the first file decides the format.

    Raises:
        UserError: There is no data, it is not a table of the expected records, or the type of a column
            is incompatible.
    """
    if sum(kind != TEXT for kind in form.columns.values()) > MOST_NUMBERS:
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
    files = data_files(spark, uri)
    if not files:
        raise UserError(f"{uri} has no data")
    if files[0].rpartition("/")[2].startswith(("_", ".")):
        raise UserError(f"{uri} is hidden from Spark, since its name begins with _ or a dot: rename it")
    try:
        if ".parquet" in files[0].rpartition("/")[2]:
            return _parquet(spark, uri, form)
        return _csv(spark, uri, open_csv(spark, uri, files, form), form)
    except UnreadableFile as error:
        raise UserError(f"{error.file}: {error}") from None
    except Unreadable as error:
        raise UserError(f"{uri} {error}") from None


def _csv(spark: SparkSession, uri: str, files: CsvFiles, form: Form) -> Table:
    names, width = list(files.header.names), len(files.header.names)
    fields, whole = fields_of(quoted(RECORD), files.quoted, form.separator)
    parted = files.records.withColumns({"__fields": fields, FITS: whole})
    texts = [
        field_text(F.get("__fields", F.lit(place)), files.quoted, form.separator).alias(name)
        for place, name in enumerate(names)
    ]
    fits = (F.col(FITS) & (F.size("__fields") == width)).alias(FITS)
    frame = parted.select(*texts, fits, *files.records.columns)
    cells = {
        name: text_cell(
            quoted(names[files.header.places[name]]), kind, form.missing, name in form.optional
        )
        for name, kind in form.columns.items()
    }
    return Table(
        frame,
        names,
        cells,
        F.col(FITS),
        _record_reasons(files.header, form)(quoted(RECORD)),
        _told(files, form),
        lambda some: first_place(spark, uri, some, form),
        files.over_lines,
    )


def _told(files: CsvFiles, form: Form) -> str:
    header = "with a header" if files.header.there else "without a header"
    told = f"CSV in {encoding_name(form.encoding)} {header}"
    used = set(files.header.places.values())
    # The label is not reported as extra: it is not an input of the model, but scoring may use it.
    others = [
        name
        for place, name in enumerate(files.header.names)
        if place not in used and name.lower() != form.label.lower()
    ]
    if files.header.there and others:
        told += f", extra columns: {', '.join(others[:5])}{' ...' if len(others) > 5 else ''}"
    if files.over_lines:
        told += "; some records span lines, so each file is read in one piece"
    return told


def _parquet(spark: SparkSession, uri: str, form: Form) -> Table:
    frame = spark.read.option("recursiveFileLookup", "true").parquet(literal(uri))
    names = frame.columns
    places = find_named(names, form)
    cells = {}
    for name, kind in form.columns.items():
        there = names[places[name]]
        found = frame.schema[there].dataType
        try:
            cells[name] = typed_cell(quoted(there), found, kind, name in form.optional)
        except Unreadable as error:
            raise UserError(f"{uri}: column {name!r} {error}") from None
    given = [quoted(names[place]) for place in places.values()]
    reason = _row_reasons(form)(*given)
    return Table(frame, names, cells, F.lit(True), reason, "Parquet", lambda _: None, False)


def _record_reasons(header: Header, form: Form) -> Any:
    @arrow_udf("string")  # type: ignore[call-overload]
    def reasons(records: pa.Array) -> pa.Array:
        return _texts(read_records(records.to_pylist(), header, form).reasons)

    return reasons


def _row_reasons(form: Form) -> Any:
    @arrow_udf("string")  # type: ignore[call-overload]
    def reasons(*given: pa.Array) -> pa.Array:
        columns = {
            name: pd.Series(array.to_pylist(), dtype=object)
            for name, array in zip(form.columns, given, strict=True)
        }
        return _texts(read_rows(pd.DataFrame(columns), form.columns, form.optional).reasons)

    return reasons


def _texts(reasons: np.ndarray) -> pa.Array:
    return pa.array(np.asarray(reasons, dtype=object), pa.string())


def first_problem(table: Table, bad: DataFrame, *more: Column) -> tuple[Place | None, Row]:
    """Return the position of a table's first bad row, and its `reason` and the columns in `more`."""
    place = table.place(bad)
    if place is not None:
        bad = bad.where(quoted(RECORD) == place.record)
    first = bad.select(table.reason.alias("reason"), *more).first()
    assert first is not None
    return place, first
