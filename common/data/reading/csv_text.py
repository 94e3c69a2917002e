"""CSV by RFC 4180: which text is a record, what its fields are, and records read from it.

A field may stand in quotes; in them a quote is doubled, and separators and line breaks are part of the
value. A quote inside a field that does not begin with one is an ordinary character, and so is a
backslash. Blanks around a field are no part of it. A line ends with CRLF, LF or CR, inside of quotes
too, where it is read as LF. A line of blanks is no record.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import pandas as pd

from .form import Form, Header, Unreadable, find_columns
from .values import BLANKS, TEXT, Rows, parse_number, read_rows

BREAK = re.compile(r"\r\n|\n|\r")


class Grammar(NamedTuple):
    """Regular expressions, the same to Python and Java; without a choice to come back to.

    Attributes:
        blanks: characters that are no part of a field that they are around.
        field: with the separator that ends it; its group is the field as it stands.
        record: a whole one, a separator added to its end.
        opens: a line that ends within quotes.
        goes_on: a line that begins within quotes and ends so.
    """

    blanks: str
    field: str
    record: str
    opens: str
    goes_on: str


@cache
def grammar(separator: str) -> Grammar:
    """Return the grammar of records whose fields are parted by this character."""
    blanks = BLANKS.replace(separator, "")
    part = re.escape(separator)
    # Possessive, so that neither engine comes back, nor Java goes a call deeper at each quote.
    content = r'(?:[^"]++|"")*+'
    field = rf'[{blanks}]*+(?:"{content}"[{blanks}]*+|(?!")[^{part}]*+)'
    fields = rf"(?:{field}{part})*+"
    opening = rf'{fields}[{blanks}]*+"{content}'
    return Grammar(
        blanks,
        rf"({field}){part}",
        rf"\A{fields}\z",
        rf"\A{opening}\z",
        rf'\A{content}(?:"[{blanks}]*+{part}{opening})?+\z',
    )


@cache
def _compiled(separator: str) -> tuple[re.Pattern[str], ...]:
    # Python's \Z is Java's \z.
    return tuple(re.compile(pattern.replace(r"\z", r"\Z")) for pattern in grammar(separator)[1:])


class Record(NamedTuple):
    """A record as it stands.

    Attributes:
        line: number of its first line, from 1.
        text: all of it.
    """

    line: int
    text: str


def split_records(text: str, separator: str) -> Iterator[Record]:
    """Part a text into its records.

    Raises:
        Unreadable: it ends within quotes.
    """
    blanks = grammar(separator).blanks
    lines = enumerate(BREAK.split(text.removeprefix("\ufeff")), 1)
    _, _, opens, goes_on = _compiled(separator)
    for number, line in lines:
        if not line.strip(blanks):
            continue
        parts = [line]
        if '"' in line and opens.match(line):
            for _, part in lines:
                parts.append(part)
                if not goes_on.match(part):
                    break
            else:
                raise Unreadable(f"line {number} opens a quote that is not closed")
        yield Record(number, "\n".join(parts))


def split_fields(record: str, separator: str) -> list[str] | None:
    """Return the fields of a record, blanks and quotes around them taken off; None of none."""
    blanks = grammar(separator).blanks
    if '"' not in record:
        return [field.strip(blanks) for field in record.split(separator)]
    field, whole, _, _ = _compiled(separator)
    ended = record + separator
    if not whole.match(ended):
        return None
    return [_unquoted(found.strip(blanks)).strip(blanks) for found in field.findall(ended)]


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if field.startswith('"') else field


def read_csv(text: str, form: Form) -> Rows:
    """Read records of CSV, with a header or as the data set's own files are.

    Raises:
        Unreadable: there is no record, no column that is wanted, or a quote that is not closed.
    """
    records = (record.text for record in split_records(text, form.separator))
    first = next(records, None)
    if first is None:
        raise Unreadable("has no records")
    header = find_columns(first_fields(first, form.separator), form)
    return read_records(records if header.there else (first, *records), header, form)


def first_fields(record: str, separator: str) -> list[str]:
    """Return the fields of a file's first record.

    Raises:
        Unreadable: it is none.
    """
    fields = split_fields(record, separator)
    if fields is None:
        raise Unreadable(f"line 1 {NOT_QUOTED}")
    return fields


def read_records(records: Iterable[str], header: Header, form: Form) -> Rows:
    """Read records whose columns are known: a number's text as the number, and then as any value."""
    width = len(header.names)
    wrong, rows = {}, []
    for row, record in enumerate(records):
        fields = split_fields(record, form.separator)
        if fields is None or len(fields) != width:
            wrong[row] = NOT_QUOTED if fields is None else f"has {len(fields)} fields, expected {width}"
            fields = [""] * width
        rows.append(fields)
    columns: dict[str, pd.Series] = {}
    for name, kind in form.columns.items():
        cells = [fields[header.places[name]] for fields in rows]
        columns[name] = pd.Series(_cells(cells, kind, form.missing), dtype=object)
    found = read_rows(pd.DataFrame(columns), form.columns, form.optional)
    for row, reason in wrong.items():
        found.reasons[row] = reason
    return Rows(found.values, pd.isna(found.reasons), found.reasons)


NOT_QUOTED = "has more than a separator after a quote that ends a field"


def _cells(cells: Sequence[str], kind: str, missing: str) -> list[Any]:
    if kind == TEXT:
        return [cell or None for cell in cells]
    return [None if not cell or cell == missing else parse_number(cell) for cell in cells]
