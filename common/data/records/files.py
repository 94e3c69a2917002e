"""The files of a table, and the errors of opening them in words for the user."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import unquote

from pyspark.sql import SparkSession

from common.data.reading import Unreadable
from common.errors import UserError
from common.machine.file_system import data_files


class UnreadableFile(Unreadable):
    """One file of a folder is not a table of the expected records; `file` is its path or URI."""

    def __init__(self, file: str, message: str) -> None:
        super().__init__(message)
        # Spark returns paths escaped but takes them unescaped.
        self.file = unquote(file)


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
    if files[0].startswith("file:") and any(":" in file.rpartition("/")[2] for file in files):
        raise UserError(f"{uri} has a colon in a file's name, which Spark does not read: rename it")
    if not is_parquet(files) and (folder := value_folder(uri, files)):
        raise UserError(
            f"{uri} has CSV in folders such as {folder}, whose values are not in the files: write the "
            "column into them, or all as Parquet"
        )
    try:
        yield files
    except UnreadableFile as error:
        raise UserError(f"{error.file}: {error}") from None
    except Unreadable as error:
        raise UserError(f"{uri} {error}") from None


def is_parquet(files: Sequence[str]) -> bool:
    """Return whether a table's files are Parquet; the name of the first decides."""
    return ".parquet" in files[0].rpartition("/")[2].lower()


def value_folder(uri: str, files: Sequence[str]) -> str | None:
    """Return a folder below a URI that is named by a column's value, as Hive names it: `kind=a`."""
    above = len(_folders(uri)) + 1
    folders = (folder for file in files for folder in _folders(file)[above:])
    return next((folder for folder in folders if "=" in folder.strip("=")), None)


def _folders(uri: str) -> list[str]:
    """Return the folders above a file, whatever number of slashes is written after the scheme."""
    return re.sub(r"\A[A-Za-z][A-Za-z0-9+.-]*:/*", "", uri).strip("/").split("/")[:-1]
