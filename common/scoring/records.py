"""Records of a file to be scored: as they are there, and what a model is given of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.reading import DOUBLE, INTEGER, NO_INTEGER, NO_NUMBER, TEXT, Form
from common.data.records import Table, open_table
from common.data.row_hash import quoted

# The text of a record of CSV that has not one field a column, else null.
LINE = "line"
REASON = "reason"


@dataclass(frozen=True)
class Records:
    """Records to be scored.

    Attributes:
        table: as they were read.
        columns: of each that a model takes, its name there.
        given: of each that a model takes, what it is given: where a category is missing, what stands for
            none.
    """

    table: Table
    columns: Mapping[str, str]
    given: Mapping[str, Column]

    @property
    def whole(self) -> list[Column]:
        """All columns that are there; those that a model takes in their own types."""
        values = {self.columns[name]: cell.value for name, cell in self.table.cells.items()}
        return [values.get(name, quoted(name)).alias(name) for name in self.table.names]

    def rejected(self) -> DataFrame:
        """Return the bad records as they are there, with the reason, and of CSV the line."""
        bad = self.table.frame.where(~self.table.good)
        more = [self.table.reason.alias(REASON)]
        if self.table.is_csv:
            more.append(F.when(~self.table.fits, self.table.record).alias(LINE))
        return bad.select(*[quoted(name) for name in self.table.names], *more)


def read_records(spark: SparkSession, uri: str, form: Form) -> Records:
    """Read CSV or Parquet, a file or a folder of them, for a model that takes this form.

    A CSV file has a header, or it is as the data set's own files are: the columns of the form's layout
    in order, all of them or all but the label.

    Raises:
        UserError: there is nothing, or it is no table of such records.
    """
    table = open_table(spark, uri, form)
    there = {name.lower(): name for name in table.names}
    columns = {name: there[name.lower()] for name in form.columns}
    none = {INTEGER: F.lit(NO_INTEGER), DOUBLE: F.lit(NO_NUMBER)}
    given = {
        name: cell.value
        if form.columns[name] == TEXT
        else F.coalesce(cell.value, none[form.columns[name]])
        for name, cell in table.cells.items()
    }
    return Records(table, columns, given)
