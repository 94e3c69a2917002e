"""The rows of a CSV or Parquet table as columns to count, with what was found of how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.infer.dialect import HEAD, Dialect, find_dialect
from common.data.infer.facts import Facts
from common.data.infer.tally import PLACE, VALUE, count, is_countable, text_cells, typed_cells
from common.data.reading import TEXT, Form
from common.data.records.csv_files import (
    RECORD,
    UnreadableFile,
    field_text,
    fields_of,
    open_csv,
)
from common.data.records.files import is_parquet, table_files
from common.data.records.parquet_files import open_parquet
from common.data.row_hash import quoted
from common.data.spec_yaml import Given
from common.machine.file_system import read_head

FIELDS = "__fields"


@dataclass(frozen=True)
class Opened:
    """A table whose columns are known by their places.

    Attributes:
        frame: The typed columns of Parquet; the places and texts of all values of CSV.
        file_names: The columns' names in the file; empty where it has none.
        dialect: How the file is written; None for Parquet.
        left_out: What was left out, for the user.
    """

    frame: DataFrame
    file_names: tuple[str, ...]
    dialect: Dialect | None
    left_out: tuple[str, ...] = ()

    @property
    def has_header(self) -> bool:
        """Whether the file names its columns."""
        return self.dialect is None or self.dialect.has_header

    def count(self, names: Sequence[str], markers: Sequence[str]) -> list[Facts]:
        """Count what the values of all columns look like, with these possible markers of missing ones."""
        if self.dialect is None:
            return count(typed_cells(self.frame, markers), names, ".", is_typed=True)
        decimal = self.dialect.decimal
        return count(text_cells(self.frame, decimal, markers), names, decimal, is_typed=False)


def open_rows(spark: SparkSession, uri: str, given: Given) -> Opened:
    """Open a file or folder; the name of the first file decides the format.

    Raises:
        UserError: There are no data, or they are no table.
    """
    with table_files(spark, uri) as files:
        if is_parquet(files):
            return _open_parquet(open_parquet(spark, uri, files))
        return _open_csv(spark, uri, files, given)


def _open_parquet(frame: DataFrame) -> Opened:
    kept = [field for field in frame.schema if is_countable(field.dataType)]
    left_out = tuple(
        f"column {field.name!r} is left out: its type is {field.dataType.simpleString()}"
        for field in frame.schema
        if field not in kept
    )
    columns = [quoted(field.name) for field in kept]
    return Opened(frame.select(*columns), tuple(field.name for field in kept), None, left_out)


def _open_csv(spark: SparkSession, uri: str, files: Sequence[str], given: Given) -> Opened:
    dialect = _dialect_of(read_head(spark, files[0], HEAD), given)
    tried = (dialect, *(replace(dialect, encoding=other, others=()) for other in dialect.others))
    for dialect in tried[:-1]:
        try:
            return _records(spark, uri, files, dialect)
        except UnreadableFile as error:
            # The head was plain ASCII; bytes further on may say that it is no UTF-8.
            if "is not valid" not in str(error):
                raise
    return _records(spark, uri, files, tried[-1])


def _dialect_of(head: bytes, given: Given) -> Dialect:
    listed = (*given.columns, *given.drop, *given.rename, *(given.strata or ()))
    dialect = find_dialect(head, given.encoding, given.separator, given.decimal, (given.label, *listed))
    own = {name.lower() for name in (*given.columns, *given.rename)}
    is_named = any(field.lower() in own for field in dialect.first)
    if len(given.columns) == len(dialect.first) and not is_named:
        # Every column is listed, and the first record has none of the names: it is data.
        return replace(dialect, has_header=False)
    return dialect


def _records(spark: SparkSession, uri: str, files: Sequence[str], dialect: Dialect) -> Opened:
    width, separator = len(dialect.first), dialect.separator
    # Names that no header has, so that its record comes with the others; it is left out here.
    layout = tuple(f"__field {place}" for place in range(width))
    form = Form(
        columns=dict.fromkeys(layout, TEXT),
        layout=layout,
        separator=separator,
        encoding=dialect.encoding,
    )
    found = open_csv(spark, uri, files, form, dialect.has_header)
    records = found.records.select(RECORD)
    if dialect.has_header:
        records = records.where(F.col(RECORD) != dialect.first_record)
    fields, whole = fields_of(F.col(RECORD), found.quoted, separator)
    parted = records.select(fields.alias(FIELDS), whole.alias("__whole"))
    # A record of another width is refused when the rows are read, with its line.
    fitting = parted.where(F.col("__whole") & (F.size(FIELDS) == width))
    raw = fitting.select(F.posexplode(FIELDS).alias(PLACE, "raw"))
    cells = raw.select(PLACE, field_text(F.col("raw"), found.quoted, separator).alias(VALUE))
    names = dialect.first if dialect.has_header else ("",) * width
    return Opened(cells, names, dialect)
