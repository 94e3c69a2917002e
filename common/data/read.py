"""Read a data set's rows from CSV or Parquet, and validate them before anything is stored."""

from dataclasses import dataclass

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.fetch import Location
from common.data.reading import shown
from common.data.records import Table, first_problem, open_table
from common.data.spec import DatasetSpec
from common.errors import UserError, first_line


@dataclass(frozen=True)
class Source:
    """A data set that was read.

    Attributes:
        frame: The rows.
        told: A description of how the files were read, for the user.
    """

    frame: DataFrame
    told: str


def read(spark: SparkSession, spec: DatasetSpec, location: Location) -> DataFrame:
    """Read and validate a data set; see `read_source`."""
    return read_source(spark, spec, location).frame


def read_source(spark: SparkSession, spec: DatasetSpec, location: Location) -> Source:
    """Read and validate a data set by the rules of `common/data/reading`; text keeps the missing marker.

    A CSV file either has a header or has the data set's columns in order. There are three passes: one
    determines how the lines of CSV are to be read, one validates the rows, and the returned frame reads
    the files again when it is used.

    Raises:
        UserError: The source cannot be read or has no rows, or a row has the wrong number of fields, an
            invalid number, or a label that is not in the spec. The message names the first such line.
    """
    try:
        try:
            table = open_table(spark, location.uri, spec.form)
        except UserError as error:
            raise UserError(f"source {error}") from None
        label = table.cells[spec.label].value
        known = F.coalesce(label.isin(*spec.labels), F.lit(False))
        values = [table.cells[name].value.alias(name) for name in spec.names]
        wrong = F.count_if(~(table.good & known))
        rows, bad = table.frame.agg(F.count(F.lit(1)), wrong).first() or (0, 0)
        if bad:
            raise UserError(_first_problem(spec, table, table.frame.where(~(table.good & known)), bad))
    except (Py4JJavaError, PySparkException) as error:
        raise UserError(f"source {location.uri} cannot be read: {first_line(error)}") from None
    if rows == 0:
        raise UserError(f"source {location.uri} has no rows")
    return Source(table.frame.select(*values), table.told)


def _first_problem(spec: DatasetSpec, table: Table, wrong: DataFrame, bad: int) -> str:
    """Describe the first invalid row: a bad record, or an unknown label."""
    label = table.cells[spec.label].value.alias("label")
    place, first = first_problem(table, wrong, label)
    reason = first["reason"]
    if not reason:
        what = "null" if first["label"] is None else shown(first["label"])
        reason = f"column {spec.label!r} is {what}, expected one of {', '.join(spec.labels)}"
    where = f"{place.file}: line {place.line}" if place else "a row"
    link = "" if reason.startswith("has ") else ":"
    more = f" ({bad} invalid rows in total)" if bad > 1 else ""
    return f"source {where}{link} {reason}{more}"
