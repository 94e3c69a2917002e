"""Read a data set's rows from CSV or Parquet, and validate them before anything is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from common.data.fetch import Location
from common.data.reading import shown
from common.data.records import Table, all_of, first_problem, open_table
from common.data.spec import DatasetSpec
from common.data.target import REGRESSION
from common.errors import UserError, first_and_last


@dataclass(frozen=True)
class Source:
    """A data set that was read.

    Attributes:
        frame: The rows that have a label.
        told: A description of how the files were read, for the user.
        missing: Share of these rows that have no value, 0 to 1, by column.
        unlabelled: Number of rows that were left out, since they have no label, or one that is left out.
        strange: Hashes of rows that a `doubt` was about, the first of many.
    """

    frame: DataFrame
    told: str
    missing: Mapping[str, float]
    unlabelled: int
    strange: frozenset[int] = frozenset()


class NotAsSaid(UserError):
    """Rows are not what the spec says; `strange` are their hashes, the first of many."""

    def __init__(self, message: str, strange: frozenset[int]) -> None:
        super().__init__(message)
        self.strange = strange


# Doubtful rows whose hashes are returned.
MOST_STRANGE = 1000
Doubt = Callable[[Table], Column]


def read(spark: SparkSession, spec: DatasetSpec, location: Location) -> DataFrame:
    """Read and validate a data set; see `read_source`."""
    return read_source(spark, spec, location).frame


def read_source(
    spark: SparkSession, spec: DatasetSpec, location: Location, doubt: Doubt | None = None
) -> Source:
    """Read and validate a data set by the rules of `common/data/reading`; any value may be missing.

    A CSV file either has a header or has the data set's columns in order. There are three passes: one
    determines how the lines of CSV are to be read, one validates the rows and counts what is missing, and
    the returned frame reads the files again when it is used. Rows without a label are left out.

    Args:
        spark: The session.
        spec: The spec.
        location: The files.
        doubt: If the spec may not be that of all rows, a function that returns which ones to ask about.

    Raises:
        NotAsSaid: There is a doubt, and a row is not as the spec says.
        UserError: The source cannot be read or has no row with a label, or a row has the wrong number of
            fields, a value that is not of its column's type, a label that is not in the spec, or a weight
            that is null or negative. The message names the first such line.
    """
    try:
        try:
            table = open_table(spark, location.uri, spec.form)
        except UserError as error:
            raise UserError(f"source {error}") from None
        labelled = _is_labelled(spec, table)
        sound = table.good & (~labelled | all_of([_known_label(spec, table), _valid_weight(spec, table)]))
        doubtful = F.lit(False) if doubt is None else doubt(table)
        found = _count(spec, table, labelled, sound, doubtful)
        if found["bad"]:
            reason = _first_problem(spec, table, table.frame.where(~sound), found["bad"])
            raise UserError(reason) if doubt is None else NotAsSaid(reason, _hashes(table, ~sound))
        strange = _hashes(table, doubtful) if found["doubtful"] else frozenset()
    except (Py4JJavaError, PySparkException) as error:
        raise UserError(f"source {location.uri} cannot be read: {first_and_last(error)}") from None
    if not found["kept"]:
        null = f"no label: the column {spec.form.told(spec.label)} is always null"
        raise UserError(f"source {location.uri} has {null if found['rows'] else 'no rows'}")
    return _labelled(spec, table, found, strange)


def _labelled(spec: DatasetSpec, table: Table, found: Row, strange: frozenset[int]) -> Source:
    """Return the rows with a label, given what was counted."""
    rows, kept = found["rows"], found["kept"]
    missing = {name: (kept - found[f"there{place}"]) / kept for place, name in enumerate(spec.names)}
    frame, told = table.frame, table.told
    if rows > kept:
        frame = frame.where(_is_labelled(spec, table))
        which = f" or with {', '.join(spec.leave_out)}" if spec.leave_out else ""
        row, were = ("row", "was") if rows == kept + 1 else ("rows", "were")
        told += f"; {rows - kept:,} {row} without a label{which} {were} left out"
    values = [table.values[name].alias(name) for name in spec.names]
    return Source(frame.select(*values), told, missing, rows - kept, strange)


def _is_labelled(spec: DatasetSpec, table: Table) -> Column:
    label = table.values[spec.label]
    return label.isNotNull() & ~label.isin(*spec.leave_out) if spec.leave_out else label.isNotNull()


def _hashes(table: Table, chosen: Column) -> frozenset[int]:
    first = table.frame.where(chosen).select(table.hash.alias("hash")).distinct().orderBy("hash")
    return frozenset(row["hash"] for row in first.take(MOST_STRANGE))


def with_missing(spec: DatasetSpec, shares: Mapping[str, float]) -> DatasetSpec:
    """Return a spec whose columns say which share of the rows has no value.

    Args:
        spec: The spec.
        shares: The share of each column, 0 to 1; 0 if it is not there.
    """
    columns = tuple(replace(column, missing=shares.get(column.name, 0.0)) for column in spec.columns)
    return replace(spec, columns=columns)


def _count(spec: DatasetSpec, table: Table, labelled: Column, sound: Column, doubtful: Column) -> Row:
    """Count in one pass: all rows, bad and doubtful ones, and those with a label and their values."""
    values = [table.values[name].alias(f"value{place}") for place, name in enumerate(spec.names)]
    states = [labelled.alias("kept"), sound.alias("sound"), doubtful.alias("doubtful")]
    read = table.frame.select(*states, *values)
    kept = F.col("kept")
    there = [
        F.count(F.when(kept, F.col(f"value{place}"))).alias(f"there{place}")
        for place in range(len(values))
    ]
    counts = [F.count(F.lit(1)).alias("rows"), F.count_if(kept).alias("kept")]
    counts += [F.count_if(~F.col("sound")).alias("bad"), F.count_if("doubtful").alias("doubtful")]
    found = read.agg(*counts, *there).first()
    assert found is not None
    return found


def _known_label(spec: DatasetSpec, table: Table) -> Column:
    if spec.task == REGRESSION:
        return F.lit(True)
    return table.values[spec.label].isin(*spec.labels)


def _valid_weight(spec: DatasetSpec, table: Table) -> Column:
    if spec.weight is None:
        return F.lit(True)
    return F.coalesce(table.values[spec.weight] >= 0, F.lit(False))


def _first_problem(spec: DatasetSpec, table: Table, wrong: DataFrame, bad: int) -> str:
    """Describe the first invalid row: a bad record, an unknown label or an impossible weight."""
    label = table.values[spec.label].alias("label")
    weight = (F.lit(None) if spec.weight is None else table.values[spec.weight]).alias("weight")
    known = _known_label(spec, table).alias("known")
    place, first = first_problem(table, wrong, label, weight, known)
    reason = first["reason"]
    if not reason and not first["known"]:
        expected = f"one of {', '.join(spec.labels)}"
        reason = (
            f"column {spec.form.in_file(spec.label)!r} is {shown(first['label'])}, expected {expected}"
        )
    elif not reason:
        assert spec.weight is not None
        what = "null" if first["weight"] is None else f"{first['weight']:g}"
        reason = f"column {spec.form.in_file(spec.weight)!r} is {what}, expected a weight of 0 or more"
    where = f"{place.file}: line {place.line}" if place else "a row"
    link = "" if reason.startswith("has ") else ":"
    more = f" ({bad} invalid rows in total)" if bad > 1 else ""
    return f"source {where}{link} {reason}{more}"
