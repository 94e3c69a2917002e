"""What a file is that is no CSV, and what to do."""

import re
from collections.abc import Sequence

from common.data.reading import Unreadable

# What such files begin with.
OTHERS = {
    b"PK\3\4": "is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook: save the sheet as CSV",
    b"\x1f\x8b": "is compressed by gzip: unpack it, or let its name end in .gz",
    b"BZh": "is compressed by bzip2: unpack it, or let its name end in .bz2",
    b"\xfd7zXZ": "is compressed by xz: unpack it",
    b"\x28\xb5\x2f\xfd": "is compressed by Zstandard: unpack it",
    b"\x04\x22\x4d\x18": "is compressed by LZ4: unpack it",
    b"7z\xbc\xaf\x27\x1c": "is a 7-Zip archive: unpack it",
    b"Rar!": "is a RAR archive: unpack it",
    b"ORC": "is ORC: save it as Parquet",
    b"Obj\x01": "is Avro: save it as Parquet",
    b"ARROW1": "is an Arrow or Feather file: save it as Parquet",
    b"<!DOCTYPE html": "is a web page: a download may need a login",
    b"<!doctype html": "is a web page: a download may need a login",
    b"<html": "is a web page: a download may need a login",
    b"<?xml": "is XML: save it as CSV or Parquet",
    b"$FL2": "is an SPSS file: save it as CSV or Parquet",
    b"<stata_dta>": "is a Stata file: save it as CSV or Parquet",
    b"PAR1": "is Parquet: let its name end in .parquet",
    b"\x89PNG": "is a picture: give a table as CSV or Parquet",
    b"\xff\xd8\xff": "is a picture: give a table as CSV or Parquet",
    b"%PDF": "is a PDF: give a table as CSV or Parquet",
    b"SQLite format 3": "is a database: export the table as CSV or Parquet",
}
JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"')
# Where an archive of tar has its mark.
TAR, TAR_AT = b"ustar", 257
# A field of columns that are aligned by blanks, and the texts in quotes, which may have some.
ALIGNED, QUOTED = re.compile(r'(?:[^ \t"]|"[^"]*"?)+'), re.compile(r'"[^"]*"')
# Records that are looked at for it.
MOST = 100


def what_it_is(head: bytes) -> str:
    """Return what a file is that is no CSV by its first bytes, and what to do; empty for any other."""
    if JSON.match(head):
        return "is JSON: save it as CSV or Parquet"
    if head[TAR_AT:].startswith(TAR):
        return "is an archive of tar: unpack it, and give a file or folder of it"
    return next((told for begin, told in OTHERS.items() if head.startswith(begin)), "")


def check_blanks(records: Sequence[str], width: int) -> None:
    """Refuse records whose fields are separated by any number of blanks.

    Args:
        records: The first records of a file.
        width: The most fields that a record has by the separator that was found.

    Raises:
        Unreadable: By blanks, all have the same number of fields, which is above that.
    """
    some = [record.strip() for record in records[:MOST]]
    widths = {len(ALIGNED.findall(record)) for record in some}
    are_runs = any(re.search(r"[ \t]{2}", QUOTED.sub("", record)) for record in some)
    if len(some) > 1 and are_runs and len(widths) == 1 and max(widths) > width:
        raise Unreadable(
            f"has {max(widths)} fields in each record, separated by one blank or more: write it with "
            r"commas, as pandas does that reads it with sep='\s+'"
        )
