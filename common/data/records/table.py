"""A file or folder of CSV or Parquet as one table of records, with the validity of each row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.reading import (
    BLANKS,
    BOOLEAN,
    TEXT,
    Form,
    Unreadable,
    encoding_name,
    find_named,
    unique_names,
)
from common.data.records.at_once import (
    READ,
    Then,
    values_of_fields,
    values_of_records,
    values_of_rows,
    values_read,
    why_bad,
)
from common.data.records.csv_files import (
    CsvFiles,
    Place,
    field_text,
    fields_of,
    first_place,
    open_csv,
)
from common.data.records.files import is_parquet, table_files
from common.data.records.over_lines import BLOCK, FILE, LINE, PLACE, RECORD
from common.data.records.parquet_files import ParquetFiles, open_parquet
from common.data.records.types import as_given, check_type
from common.data.records.wide import plan_wide
from common.data.row_hash import quoted, value_hash
from common.errors import UserError

FITS, FIELDS = "__fits", "__fields"
# While a file is scored: what is wrong with a record, its scores, its hash, and whether it was learnt.
WRONG, SCORED, OWN, LEARNT = "__wrong", "__scored", "__own", "__learnt"
# Names that a column of a file cannot have beside the columns that are added here.
TAKEN = (FILE, RECORD, LINE, BLOCK, PLACE, FITS, FIELDS, READ, WRONG, SCORED, OWN, LEARNT)


@dataclass(frozen=True)
class Table:
    """Records that were read.

    Attributes:
        frame: All columns of the files (text for CSV), and some that this project adds.
        names: Names of the files' columns in the frame, in order. They are those of the files, but no two
            are the same, whatever the case.
        columns: Name in the frame of each required column, by its name in the form.
        values: For each required column, the value in the column's type; null if it is missing.
        fits: Whether a record is well-formed and has one field per column.
        told: A description of how the files are read, for the user.
        place: Returns the file, line and text of the first of some rows of `frame`; None for Parquet.
        over_lines: Whether records span lines.
        hash: The hash of a record: of its text in CSV, of its values in Parquet.
        read: Returns `frame`, in which something is also made of the values of each good row (see
            `made_of_rows`).
    """

    frame: DataFrame
    names: list[str]
    columns: Mapping[str, str]
    values: Mapping[str, Column]
    fits: Column
    told: str
    place: Callable[[DataFrame], Place | None]
    over_lines: bool
    hash: Column
    read: Callable[[Then], DataFrame]

    @property
    def reason(self) -> Column:
        """What is wrong with a record; null for a good one."""
        return why_bad()

    @property
    def good(self) -> Column:
        """Whether a record is well-formed, has one field per column, and each value is valid."""
        return self.reason.isNull()

    @property
    def is_csv(self) -> bool:
        """Whether the records come from CSV, where each record has a raw text."""
        return RECORD in self.frame.columns

    def is_text(self, name: str) -> bool:
        """Return whether the values of a column of the data set are texts in the files."""
        return isinstance(self.frame.schema[self.columns[name]].dataType, T.StringType)

    @property
    def record(self) -> Column:
        """The raw text of a CSV record."""
        return quoted(RECORD)


def all_of(conditions: Sequence[Column]) -> Column:
    """Return whether all conditions hold, as a shallow tree: Spark recurses, and a deep one overflows."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return all_of(conditions[:half]) & all_of(conditions[half:])


def open_table(spark: SparkSession, uri: str, form: Form) -> Table:
    """Open a file or folder of CSV or Parquet; the name of the first file decides the format.

    Raises:
        UserError: There is no data, it is not a table of the expected records, or the type of a column
            is incompatible.
    """
    plan_wide(spark, sum(kind != TEXT for kind in form.columns.values()), len(form.columns))
    with table_files(spark, uri) as files:
        if is_parquet(files):
            return _parquet(uri, open_parquet(spark, uri, files, _texts(form)), form)
        return _csv(spark, uri, open_csv(spark, uri, files, form), form)


def _csv(spark: SparkSession, uri: str, files: CsvFiles, form: Form) -> Table:
    names, width = _distinct(files.header.names, TAKEN), len(files.header.names)
    fields, whole = fields_of(quoted(RECORD), files.quoted, form.separator)
    parted = files.records.withColumns({FIELDS: fields, FITS: whole})
    texts = [
        field_text(F.get(FIELDS, F.lit(place)), files.quoted, form.separator).alias(name)
        for place, name in enumerate(names)
    ]
    fits = (F.col(FITS) & (F.size(FIELDS) == width)).alias(FITS)
    split = parted.select(*texts, fits, *files.records.columns)

    def read(then: Then | None) -> DataFrame:
        return split.withColumn(READ, values_of_records(files.header, form, then)(quoted(RECORD)))

    return Table(
        frame=read(None),
        names=names,
        columns={name: names[place] for name, place in files.header.places.items()},
        values=values_read(form),
        fits=F.col(FITS),
        told=_told(files, form),
        place=lambda some: first_place(spark, uri, some, form),
        over_lines=files.over_lines,
        hash=F.xxhash64(quoted(RECORD)),
        read=read,
    )


def _distinct(given: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return names of columns with a number after one that Spark would take for another's."""
    lower = [name.lower() for name in given]
    known = set(taken)
    found = []
    for name in given:
        number, own = 1, name
        while own.lower() in known or (number > 1 and own.lower() in lower):
            number += 1
            own = f"{name}_{number}"
        known.add(own.lower())
        found.append(own)
    return found


def _told(files: CsvFiles, form: Form) -> str:
    header = "with a header" if files.header.there else "without a header"
    told = f"CSV in {encoding_name(form.encoding)} {header}"
    used = set(files.header.places.values())
    # The label is not reported as extra: it is not an input of the model, but scoring may use it.
    others = [
        name
        for place, name in enumerate(files.header.names)
        if place not in used
        and name.lower() not in (form.label.lower(), form.in_file(form.label).lower())
    ]
    if files.header.there and others:
        told += f", extra columns: {', '.join(others[:5])}{' ...' if len(others) > 5 else ''}"
    if files.over_lines:
        told += "; some records span lines, so each file is read in one piece"
    return told


def _texts(form: Form) -> set[str]:
    """Return the names in files of columns that are read as texts; the label is, where it is no input."""
    own = [name for name, kind in form.columns.items() if kind in (TEXT, BOOLEAN)]
    own += [form.label] if form.label not in form.columns else []
    return {name for column in own for name in form.names_of(column)}


def _parquet(uri: str, files: ParquetFiles, form: Form) -> Table:
    frame = files.frame
    places = find_named(frame.columns, form)
    names = _distinct(unique_names(frame.columns), TAKEN)
    named = frame if names == frame.columns else frame.toDF(*names)
    columns = {name: names[place] for name, place in places.items()}
    found = {field.name: field.dataType for field in named.schema}
    for name, there in columns.items():
        try:
            check_type(found[there], form.columns[name])
        except Unreadable as error:
            raise UserError(f"{uri}: column {form.told(name)} {error}") from None
    given = [as_given(quoted(there), found[there]) for there in columns.values()]

    def read(then: Then | None) -> DataFrame:
        return named.withColumn(READ, values_of_rows(form, then)(*given))

    return Table(
        frame=read(None),
        names=names,
        columns=columns,
        values=values_read(form),
        fits=F.lit(True),
        told=files.told,
        place=lambda _: None,
        over_lines=False,
        hash=value_hash(named),
        read=read,
    )


def with_column_read(frame: DataFrame, name: str, form: Form) -> DataFrame:
    """Return a frame of any columns with the only one of a form read (see `values_read`, `why_bad`).

    Args:
        frame: The frame; a text in it is a field of CSV.
        name: The column's name in the frame.
        form: The form of the column.

    Raises:
        Unreadable: Values of the column's type are never valid.
    """
    found, (kind,) = frame.schema[name].dataType, form.columns.values()
    if isinstance(found, T.StringType):
        return frame.withColumn(READ, values_of_fields(form)(F.trim(quoted(name), F.lit(BLANKS))))
    check_type(found, kind)
    return frame.withColumn(READ, values_of_rows(form)(as_given(quoted(name), found)))


def first_problem(table: Table, bad: DataFrame, *more: Column) -> tuple[Place | None, Row]:
    """Return the position of a table's first bad row, and its `reason` and the columns in `more`."""
    place = table.place(bad)
    if place is not None:
        bad = bad.where(quoted(RECORD) == place.record)
    first = bad.select(table.reason.alias("reason"), *more).first()
    assert first is not None
    return place, first
