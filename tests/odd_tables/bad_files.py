"""Files that are no table, or no whole one; each must be refused with one line."""

import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .forms import Raw
from .signal import ordinary
from .table import bad_input

PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))


@bad_input("the file has two rows", "churned", "source", "2 rows", "10")
def two_rows(rng: np.random.Generator) -> pd.DataFrame:
    """A row of each label."""
    return ordinary(rng).groupby("churned").head(1)


@bad_input("the file has a header and no rows", "churned", "source", "no_rows", "0 rows")
def no_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Only the names."""
    return ordinary(rng).head(0)


@bad_input(
    "the source does not exist",
    "churned",
    "source",
    "gone.csv",
    "does not exist",
    by="main",
    source="{folder}/gone.csv",
)
def no_such_source(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table beside the one that is asked for."""
    return ordinary(rng)


@bad_input(
    "a folder without files", "churned", "source", "empty folder", form=Raw(lambda _: {}), by="main"
)
def folder_without_files(rng: np.random.Generator) -> pd.DataFrame:
    """No rows at all."""
    return ordinary(rng)


@bad_input(
    "an empty file", "churned", "source", "empty file", form=Raw(lambda _: {".csv": b""}), by="main"
)
def empty_file(rng: np.random.Generator) -> pd.DataFrame:
    """No bytes."""
    return ordinary(rng)


@bad_input("a picture", "churned", "source", "picture", "CSV", form=Raw(lambda _: {".png": PICTURE}))
def picture(rng: np.random.Generator) -> pd.DataFrame:
    """PNG."""
    return ordinary(rng)


@bad_input(
    "an Excel workbook",
    "churned",
    "source",
    "Excel",
    "CSV",
    form=Raw(lambda rows: {".xlsx": _zipped(rows)}),
)
def workbook(rng: np.random.Generator) -> pd.DataFrame:
    """A ZIP archive of XML."""
    return ordinary(rng)


@bad_input(
    "CSV compressed by gzip whose name does not say so",
    "churned",
    "source",
    "gzip",
    ".gz",
    form=Raw(lambda rows: {".csv": gzip.compress(_text(rows), mtime=0)}),
)
def hidden_gzip(rng: np.random.Generator) -> pd.DataFrame:
    """With the ending .gz it would be read."""
    return ordinary(rng)


@bad_input(
    "JSON lines",
    "churned",
    "source",
    "JSON",
    "CSV",
    form=Raw(lambda rows: {".jsonl": "\n".join(map(json.dumps, rows.to_dict("records"))).encode()}),
)
def json_lines(rng: np.random.Generator) -> pd.DataFrame:
    """A record a line."""
    return ordinary(rng)


@bad_input(
    "CSV whose name says Parquet",
    "churned",
    "source",
    "Parquet",
    form=Raw(lambda rows: {".parquet": _text(rows)}),
)
def csv_named_parquet(rng: np.random.Generator) -> pd.DataFrame:
    """The name decides the format."""
    return ordinary(rng)


@bad_input(
    "Parquet whose name says CSV",
    "churned",
    "source",
    "Parquet",
    ".parquet",
    form=Raw(lambda rows: {".csv": rows.to_parquet()}),
)
def parquet_named_csv(rng: np.random.Generator) -> pd.DataFrame:
    """The name decides the format."""
    return ordinary(rng)


@bad_input(
    "the second file of a folder has other columns",
    "churned",
    "source",
    "b.csv",
    "header",
    form=Raw(lambda rows: {"a.csv": _text(rows), "b.csv": _text(rows[rows.columns[::-1]])}),
)
def headers_differ(rng: np.random.Generator) -> pd.DataFrame:
    """Read by place, the second file's values would be in the wrong columns."""
    return ordinary(rng)


@bad_input(
    "a folder of CSV and Parquet",
    "churned",
    "source",
    "b.parquet",
    "header",
    form=Raw(lambda rows: {"a.csv": _text(rows), "b.parquet": rows.to_parquet()}),
)
def formats_differ(rng: np.random.Generator) -> pd.DataFrame:
    """The first file's name decides."""
    return ordinary(rng)


@bad_input(
    "a quote that is never closed",
    "churned",
    "source",
    "line 18",
    "quote",
    form=Raw(lambda rows: {".csv": _changed(rows, 17, lambda line: f'"{line}')}),
)
def open_quote(rng: np.random.Generator) -> pd.DataFrame:
    """One line begins with a quote."""
    return ordinary(rng)


@bad_input(
    "a line with a field too many",
    "churned",
    "source",
    "line 18",
    "5 fields",
    "4",
    form=Raw(lambda rows: {".csv": _changed(rows, 17, lambda line: f"{line},1")}),
)
def ragged_line(rng: np.random.Generator) -> pd.DataFrame:
    """One line has five fields."""
    return ordinary(rng)


@bad_input(
    "Parquet in an encoding that Spark does not read",
    "churned",
    "source",
    "BYTE_STREAM_SPLIT",
    form=Raw(lambda rows: {".parquet": _split(rows)}),
)
def unread_encoding(rng: np.random.Generator) -> pd.DataFrame:
    """Only a task finds out."""
    return ordinary(rng)


@bad_input(
    "CSV compressed by xz",
    "churned",
    "source",
    "xz",
    "unpack",
    form=Raw(lambda rows: {".csv.xz": lzma.compress(_text(rows))}),
)
def xz_file(rng: np.random.Generator) -> pd.DataFrame:
    """Its name says so, but Spark reads none."""
    return ordinary(rng)


@bad_input(
    "CSV compressed by Zstandard",
    "churned",
    "source",
    ".zst",
    "unpack",
    form=Raw(lambda rows: {".csv.zst": pa.compress(_text(rows), codec="zstd", asbytes=True)}),
)
def zst_file(rng: np.random.Generator) -> pd.DataFrame:
    """Hadoop knows the name, but lacks the library."""
    return ordinary(rng)


def _text(rows: pd.DataFrame) -> bytes:
    return rows.to_csv(index=False).encode()


def _changed(rows: pd.DataFrame, place: int, change: Callable[[str], str]) -> bytes:
    """Return a table as CSV in which one line is changed."""
    lines = _text(rows).decode().splitlines()
    lines[place] = change(lines[place])
    return "\n".join(lines).encode()


def _split(rows: pd.DataFrame) -> bytes:
    whole = io.BytesIO()
    table = pa.Table.from_pandas(rows, preserve_index=False)
    pq.write_table(table, whole, use_byte_stream_split=["charges"], use_dictionary=False)
    return whole.getvalue()


def _zipped(rows: pd.DataFrame) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        # Of no time, so that the bytes are the same each time.
        archive.writestr(zipfile.ZipInfo("xl/worksheets/sheet1.xml"), _text(rows))
    return whole.getvalue()
