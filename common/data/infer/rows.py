"""The rows of a CSV or Parquet table as columns to count, with what was found of how it is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.infer.decimal_mark import find_decimal, marked_number
from common.data.infer.dialect import HEAD, MOST, Dialect, find_dialect
from common.data.infer.facts import Facts
from common.data.infer.tally import PLACE, VALUE, count, is_countable, text_cells, typed_cells
from common.data.reading import TEXT, Form, split_fields
from common.data.records.csv_files import field_text, fields_of, open_csv
from common.data.records.files import UnreadableFile, is_parquet, table_files
from common.data.records.over_lines import RECORD
from common.data.records.parquet_files import open_parquet
from common.data.records.wide import plan_wide
from common.data.row_hash import quoted, value_hash
from common.data.spec_yaml import Given
from common.machine.file_system import read_head

FIELDS, HASH = "__fields", "__hash"
# Values from which a spec is inferred; of a larger table a part of the rows is looked at, but not fewer.
MOST_CELLS, LEAST_ROWS = 2_000_000, 2_000
# How many rows a part has, by how many it would have if no two rows of the table were equal.
FAIR = (0.8, 1.25)


@dataclass(frozen=True)
class Part:
    """A part of a table's rows, chosen by a hash of their content, on any number of cores.

    Attributes:
        step: About one row of so many is in it.
        also: Hashes of rows that are in it in any case.
    """

    step: int
    also: frozenset[int] = frozenset()

    def holds(self, hashed: Column) -> Column:
        """Return whether a row with this hash is in the part."""
        chosen = F.pmod(hashed, F.lit(self.step)) == 0
        return chosen | hashed.isin(*sorted(self.also)) if self.also else chosen


def part_of(opened: "Opened", also: Iterable[int] = ()) -> Part | None:
    """Return the part of a table that is looked at; None for all of it, if it has few cells."""
    rows = max(MOST_CELLS // max(opened.width, 1), LEAST_ROWS)
    return Part(-(-opened.rows // rows), frozenset(also)) if opened.rows > rows else None


@dataclass(frozen=True)
class Opened:
    """A table whose columns are known by their places.

    Attributes:
        frame: The typed columns of Parquet; of CSV the raw fields of each record, FIELDS.
        hash: The hash of a row's content, by which some are chosen.
        rows: Number of its rows; of CSV of its lines, which are hardly more.
        is_quoted: Whether any field of CSV is quoted.
        file_names: The columns' names in the file; empty where it has none.
        dialect: How the file is written; None for Parquet.
        left_out: What was left out, for the user.
    """

    frame: DataFrame
    hash: Column
    rows: int
    file_names: tuple[str, ...]
    dialect: Dialect | None
    is_quoted: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def has_header(self) -> bool:
        """Whether the file names its columns."""
        return self.dialect is None or self.dialect.has_header

    def count(
        self, places: Mapping[int, str], markers: Sequence[str], part: Part | None = None
    ) -> dict[int, Facts]:
        """Count what the values of columns look like.

        Args:
            places: The data set's names of the columns to count, by their places in the file.
            markers: The texts that may mark a missing value.
            part: The rows to count; None for all.
        """
        frame = self.frame if part is None else self.frame.where(part.holds(self.hash))
        names = list(places.values())
        if self.dialect is None:
            chosen = frame.select(*[quoted(self.file_names[place]) for place in places])
            found = count(typed_cells(chosen, markers), names, ".", is_typed=True)
        else:
            separator, decimal = self.dialect.separator, self.dialect.decimal
            fields = F.array(*[F.get(FIELDS, F.lit(place)) for place in places])
            raw = frame.select(F.posexplode(FIELDS if len(places) == self.width else fields))
            text = field_text(F.col("col"), self.is_quoted, separator)
            cells = raw.select(F.col("pos").alias(PLACE), text.alias(VALUE))
            found = count(text_cells(cells, decimal, markers), names, decimal, is_typed=False)
        return dict(zip(places, found, strict=True))

    def is_shown_by(self, part: Part, looked: int, distinct: int) -> bool:
        """Whether a part shows what all rows do: equal rows have equal hashes, so all are in it or none.

        Args:
            part: The part.
            looked: Number of its rows.
            distinct: Number of values of the column that has the most in it.
        """
        unequal = self.rows / part.step + len(part.also)
        if not FAIR[0] <= looked / unequal <= FAIR[1]:
            return False
        least = LEAST_ROWS // 4
        # The rows are counted only where no column shows how many different ones there are.
        return distinct >= least or self._contents(part) >= least

    def _contents(self, part: Part) -> int:
        chosen = self.frame.where(part.holds(self.hash))
        (found,) = chosen.agg(F.approx_count_distinct(self.hash)).first() or (0,)
        return int(found)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.file_names)


def open_rows(spark: SparkSession, uri: str, given: Given) -> Opened:
    """Open a file or folder; the name of the first file decides the format.

    Raises:
        UserError: There are no data, or they are no table.
    """
    with table_files(spark, uri) as files:
        if is_parquet(files):
            return _open_parquet(open_parquet(spark, uri, files).frame)
        return _open_csv(spark, uri, files, given)


def _open_parquet(frame: DataFrame) -> Opened:
    kept = [field for field in frame.schema if is_countable(field.dataType)]
    left_out = tuple(
        f"column {field.name!r} is left out: its type is {field.dataType.simpleString()}"
        for field in frame.schema
        if field not in kept
    )
    numbers = sum(not isinstance(field.dataType, T.StringType) for field in kept)
    plan_wide(frame.sparkSession, numbers, len(kept))
    columns = [quoted(field.name) for field in kept]
    names = tuple(field.name for field in kept)
    return Opened(
        frame.select(*columns), value_hash(frame), frame.count(), names, None, left_out=left_out
    )


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
    hashed = F.xxhash64(RECORD).alias(HASH)
    filled = F.translate(RECORD, f'{separator}" \t', "") != ""
    parted = records.select(
        fields.alias(FIELDS), whole.alias("__whole"), filled.alias("__filled"), hashed
    )
    # A record of another width is refused when the rows are read, with its line. One of empty fields,
    # as spreadsheets leave them at the end, says nothing of any column.
    fitting = parted.where(F.col("__whole") & (F.size(FIELDS) == width) & F.col("__filled"))
    names = dialect.first if dialect.has_header else ("",) * width
    chosen = fitting.select(FIELDS, HASH)
    # Where a comma separates the fields, one within a number is in quotes.
    if not dialect.is_marked and (separator != "," or found.quoted):
        dialect = replace(dialect, decimal=_late_decimal(chosen, separator))
    return Opened(chosen, F.col(HASH), found.lines, names, dialect, found.quoted)


def _late_decimal(fields: DataFrame, separator: str) -> str:
    """Find the decimal mark of a table whose beginning has none, also by later numbers that have one."""
    marked = F.exists(FIELDS, lambda field: field.rlike(marked_number()))
    found = [*fields.take(MOST), *fields.where(marked).take(MOST)]
    texts = [split_fields(separator.join(row[FIELDS]), separator) for row in found]
    return find_decimal(separator, [row for row in texts if row is not None]).mark
