"""The files of a table, and the errors of opening them in words for the user."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pyspark.sql import SparkSession

from common.data.reading import Unreadable
from common.data.records.csv_files import UnreadableFile
from common.errors import UserError
from common.machine.file_system import data_files


@contextmanager
def table_files(spark: SparkSession, uri: str) -> Iterator[list[str]]:
    """Yield the URIs of the files of a table; within, what cannot be read is the user's error.

    Raises:
        UserError: There is no data, Spark ignores it, or it is not a table of the expected records.
    """
    files = data_files(spark, uri)
    if not files:
        raise UserError(f"{uri} has no data")
    if files[0].rpartition("/")[2].startswith(("_", ".")):
        raise UserError(f"{uri} is hidden from Spark, since its name begins with _ or a dot: rename it")
    try:
        yield files
    except UnreadableFile as error:
        raise UserError(f"{error.file}: {error}") from None
    except Unreadable as error:
        raise UserError(f"{uri} {error}") from None


def is_parquet(files: Sequence[str]) -> bool:
    """Return whether a table's files are Parquet; the name of the first decides."""
    return ".parquet" in files[0].rpartition("/")[2]
