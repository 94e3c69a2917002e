"""The records of a file to score, as they are read for a model."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.reading import Form
from common.data.records import SCORED, WRONG, Table, Then, made_of_rows, open_table
from common.data.row_hash import quoted

# The text of a CSV record whose number of fields is wrong; null for any other record.
LINE = "line"
REASON = "reason"
NO_SCORE = "the model's prediction is not a finite number"


@dataclass(frozen=True)
class Records:
    """Records to score.

    Attributes:
        table: The records as they were read.
    """

    table: Table

    @property
    def whole(self) -> list[Column]:
        """All columns of the file; those that the model takes have the model's types."""
        values = {self.table.columns[name]: value for name, value in self.table.values.items()}
        return [values.get(name, quoted(name)).alias(name) for name in self.table.names]

    def scored(self, scores: Then, *more: Column) -> DataFrame:
        """Return all columns of the file, the scores as SCORED, and what is wrong as WRONG, or null.

        Args:
            scores: What scores the values where they are read.
            more: Columns that are added, of the table's values.
        """
        read, made = self.table.read(scores), made_of_rows()
        return read.select(*self.whole, made.alias(SCORED), self._wrong(made).alias(WRONG), *more)

    def rejected(self, reason: str = REASON, line: str = LINE, scores: Then | None = None) -> DataFrame:
        """Return the bad records as they were read, with the reason and, for CSV, the line.

        Args:
            reason: Name of the column with the reason.
            line: Name of the column with the line.
            scores: What scores the values, if some records have no score.
        """
        read = self.table.frame if scores is None else self.table.read(scores)
        wrong = self.table.reason if scores is None else self._wrong(made_of_rows())
        more = [wrong.alias(reason)]
        if self.table.is_csv:
            more.append(F.when(~self.table.fits, self.table.record).alias(line))
        return read.where(wrong.isNotNull()).select(*[quoted(name) for name in self.table.names], *more)

    def _wrong(self, made: Column) -> Column:
        return F.coalesce(self.table.reason, F.when(made.isNull(), NO_SCORE))


def read_records(spark: SparkSession, uri: str, form: Form) -> Records:
    """Read records from CSV or Parquet, a file or a folder of files.

    A CSV file has a header, or it has the layout of the data set's own files: the columns of the form's
    layout in order, either all of them or all but the label.

    Args:
        spark: The session.
        uri: URI of the file or folder.
        form: The form of the records that the model takes.

    Raises:
        UserError: Nothing exists at the URI, or it is not a table of such records.
    """
    return Records(open_table(spark, uri, form))
