"""The forms that a table can have on disk: kinds of CSV and Parquet, in one file or in several."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Csv:
    """Text with separators.

    Attributes:
        separator: The character between two fields.
        decimal: The decimal mark of numbers.
        encoding: Python's name of the encoding; utf-8-sig writes a byte order mark.
        header: Whether the first record has the names.
        line_end: The end of a line.
        all_quoted: Whether every field is quoted, and not only those that must be.
        files: Number of files; several are a folder.
        missing: Markers of a missing value that a user would have to tell pandas.
    """

    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    header: bool = True
    line_end: str = "\n"
    all_quoted: bool = False
    files: int = 1
    missing: tuple[str, ...] = ()

    content_type = "text/csv"

    def write(self, cells: pd.DataFrame, folder: Path, name: str) -> Path:
        """Write rows as a file, or as a folder of several; return its path."""
        return _write_parts(self, cells, folder, name, "csv")

    def write_file(self, cells: pd.DataFrame, path: Path) -> None:
        """Write rows as one file."""
        cells.to_csv(
            path,
            index=False,
            sep=self.separator,
            decimal=self.decimal,
            encoding=self.encoding,
            header=self.header,
            lineterminator=self.line_end,
            quoting=csv.QUOTE_ALL if self.all_quoted else csv.QUOTE_MINIMAL,
        )

    def read(self, path: Path) -> pd.DataFrame:
        """Read a file or folder as a user of pandas would, who knows the form."""
        parts = [
            pd.read_csv(
                file,
                sep=self.separator,
                decimal=self.decimal,
                encoding=self.encoding,
                header=0 if self.header else None,
                na_values=list(self.missing),
            )
            for file in _files(path)
        ]
        whole = pd.concat(parts, ignore_index=True)
        if not self.header:
            whole.columns = [f"_c{place}" for place in range(whole.shape[1])]
        return whole

    def body(self, path: Path) -> bytes:
        """Return a file as a request to the service: the same text in UTF-8."""
        return path.read_bytes().decode(self.encoding).encode("utf-8")


@dataclass(frozen=True)
class Parquet:
    """Parquet.

    Attributes:
        types: Arrow's types of columns that pandas alone would write otherwise.
        files: Number of files; several are a folder.
    """

    types: tuple[tuple[str, pa.DataType], ...] = ()
    files: int = 1

    content_type = "application/vnd.apache.parquet"

    def write(self, cells: pd.DataFrame, folder: Path, name: str) -> Path:
        """Write rows as a file, or as a folder of several; return its path."""
        return _write_parts(self, cells, folder, name, "parquet")

    def write_file(self, cells: pd.DataFrame, path: Path) -> None:
        """Write rows as one file."""
        types = dict(self.types)
        columns = [pa.array(cells[name], types.get(name), from_pandas=True) for name in cells]
        pq.write_table(pa.Table.from_arrays(columns, names=list(cells.columns)), path)

    def read(self, path: Path) -> pd.DataFrame:
        """Read a file or folder as a user of pandas would."""
        return pd.concat([pd.read_parquet(file) for file in _files(path)], ignore_index=True)

    def body(self, path: Path) -> bytes:
        """Return a file as a request to the service."""
        return path.read_bytes()


Form = Csv | Parquet


@dataclass(frozen=True)
class Raw:
    """Bytes of any kind.

    Attributes:
        files: Returns the content by name from the cells; a name that begins with a dot is the ending of
            one file, others are in a folder.
    """

    files: Callable[[pd.DataFrame], Mapping[str, bytes]]

    def write(self, cells: pd.DataFrame, folder: Path, name: str) -> Path:
        """Write the file or the folder; return its path."""
        path = folder / name
        for inner, content in self.files(cells).items():
            path = folder / f"{name}{inner}" if inner.startswith(".") else folder / name / inner
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        if path.parent == folder:
            if path.suffix == "":
                path.mkdir()
            return path
        return path.parent


def _write_parts(form: Form, cells: pd.DataFrame, folder: Path, name: str, ending: str) -> Path:
    if form.files == 1:
        path = folder / f"{name}.{ending}"
        form.write_file(cells, path)
        return path
    whole = folder / name
    whole.mkdir()
    for number, places in enumerate(np.array_split(np.arange(len(cells)), form.files)):
        form.write_file(cells.iloc[places], whole / f"part-{number}.{ending}")
    return whole


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]
