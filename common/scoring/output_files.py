"""The files of scored records: CSV or Parquet, as the target's name says."""

import re
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from common.errors import UserError
from common.machine.file_system import exists, literal, names_in

# What Spark writes into a folder.
OF_SPARK = re.compile(r"part-\d{5}-|_SUCCESS$|_(committed|started)_|\..*\.crc$")

# RFC 4180, by which files are read as well.
CSV = {
    "header": "true",
    "escape": '"',
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
    # Spark's own cut microseconds.
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


@dataclass(frozen=True)
class OutputFiles:
    """Folders of an output that are written and read back.

    Attributes:
        is_csv: Whether they are CSV; otherwise they are Parquet.
        over_lines: Whether texts in them may span lines.
    """

    is_csv: bool
    over_lines: bool

    def write(self, frame: DataFrame, uri: str) -> None:
        """Write a frame into a new folder."""
        if self.is_csv:
            frame.write.options(**CSV).csv(uri)
        else:
            frame.write.parquet(uri)

    def read(self, spark: SparkSession, uri: str) -> DataFrame:
        """Read a folder that was written."""
        if self.is_csv:
            return spark.read.options(**CSV, multiLine=self.over_lines).csv(literal(uri))
        return spark.read.parquet(literal(uri))

    def first(self, spark: SparkSession, uri: str, name: str) -> str:
        """Return the text in a column of the first row of a folder that was written."""
        # Of a folder Spark reads the largest part first.
        parts = [part for part in names_in(spark, uri) if part.startswith("part-")]
        found = (self.read(spark, f"{uri}/{part}").select(name).first() for part in parts)
        return next((str(row[0]) for row in found if row is not None), "")


def is_csv(target: str) -> bool:
    """Return whether an output of this name is CSV."""
    return target.rstrip("/").lower().endswith(".csv")


def check_output(spark: SparkSession, uri: str, source: str, overwrite: bool) -> None:
    """Check that a folder can be written without the loss of another file.

    Args:
        spark: The session.
        uri: URI of the folder.
        source: URI of what is scored.
        overwrite: Whether an earlier output may be replaced.

    Raises:
        UserError: The folder and the source overlap, or it exists and may not be replaced.
    """
    whole, other = uri.rstrip("/") + "/", source.rstrip("/") + "/"
    if whole.startswith(other) or other.startswith(whole):
        raise UserError(f"output {uri} and input {source} overlap: choose another output")
    try:
        there = exists(spark, uri)
    except UserError as error:
        raise UserError(f"output {error}") from None
    if there and not overwrite:
        raise UserError(f"output {uri} exists: choose another, or set overwrite=true")
    if foreign := [name for name in names_in(spark, uri) if not OF_SPARK.match(name)]:
        raise UserError(f"output {uri} has {foreign[0]!r}, which no output has: choose another")
