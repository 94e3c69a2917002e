"""CSV by RFC 4180: splitting text into records and records into fields, and reading the records.

A field may be quoted. Inside the quotes, a quote is doubled, and separators and line breaks are part of
the value. In a field that does not begin with a quote, a quote is an ordinary character. So is a
backslash, everywhere. Blanks around a field are not part of it. A line ends with CRLF, LF or CR; inside
quotes, any of these is read as LF. Blank lines are not records.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from .form import Form, Unreadable
from .kinds import BLANKS, DOUBLE, INTEGER
from .numbers import number_pattern, parse_number
from .places import Header, find_columns
from .values import Rows, own_named, read_rows

# Before 3.11.5 Python loses its place in a possessive group that fits in part (CPython issue 106052).
LOSES_PLACE = re.fullmatch(r"(?:(?:ab|a)c)*+ab", "acab") is None
BREAK = re.compile(r"\r\n|\n|\r")


class Grammar(NamedTuple):
    """Regular expressions that mean the same in Python and Java, and never backtrack.

    Attributes:
        blanks: The characters that are stripped around a field.
        field: Matches a field and the separator after it; the group is the raw field.
        record: Matches a whole record with a separator appended.
        opens: Matches a line that begins outside quotes and ends inside them.
        goes_on: Matches a line that begins and ends inside quotes.
    """

    blanks: str
    field: str
    record: str
    opens: str
    goes_on: str


@cache
def grammar(separator: str, atomic: bool = False) -> Grammar:
    """Return the grammar of records whose fields are separated by this character.

    Args:
        separator: The character.
        atomic: Whether groups are repeated greedily within atomic ones, which says the same, but takes
            more time and memory.
    """
    blanks = BLANKS.replace(separator, "")
    part = re.escape(separator)

    def repeated(group: str, times: str = "*") -> str:
        # So neither engine backtracks, and Java does not recurse at each quote.
        return rf"(?>(?:{group}){times})" if atomic else rf"(?:{group}){times}+"

    content = repeated(r'[^"]++|""')
    field = rf'[{blanks}]*+(?:"{content}"[{blanks}]*+|(?!")[^{part}]*+)'
    fields = repeated(f"{field}{part}")
    opening = rf'{fields}[{blanks}]*+"{content}'
    again = repeated(rf'"[{blanks}]*+{part}{opening}', "?")
    return Grammar(
        blanks,
        rf"({field}){part}",
        rf"\A{fields}\z",
        rf"\A{opening}\z",
        rf"\A{content}{again}\z",
    )


@cache
def _compiled(separator: str) -> tuple[re.Pattern[str], ...]:
    # Python's \Z means what Java's \z means.
    rules = grammar(separator, LOSES_PLACE)[1:]
    return tuple(re.compile(pattern.replace(r"\z", r"\Z")) for pattern in rules)


class Record(NamedTuple):
    """A raw record.

    Attributes:
        line: Number of its first line, from 1.
        text: Its full text.
    """

    line: int
    text: str


def split_records(text: str, separator: str) -> Iterator[Record]:
    """Split a text into its records.

    Raises:
        Unreadable: A quote is not closed.
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
    """Return the fields of a record without surrounding blanks and quotes; None if it is malformed."""
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
    """Read records of CSV, with a header or in the layout of the data set's own files.

    Raises:
        Unreadable: There are no records, a required column is missing, or a quote is not closed.
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
        Unreadable: The record is malformed.
    """
    fields = split_fields(record, separator)
    if fields is None:
        raise Unreadable(f"line 1 {NOT_QUOTED}")
    return fields


def read_records(records: Iterable[str], header: Header, form: Form) -> Rows:
    """Read records with known columns: parse numbers from their text, then check every value."""
    width = len(header.names)
    wrong, rows = {}, []
    for row, record in enumerate(records):
        fields = split_fields(record, form.separator)
        if fields is None or len(fields) != width:
            wrong[row] = NOT_QUOTED if fields is None else f"has {len(fields)} fields, expected {width}"
            fields = [""] * width
        rows.append(fields)
    by_place = list(zip(*rows, strict=True)) or [()] * width
    columns = {
        name: column_of_texts(by_place[header.places[name]], kind, form)
        for name, kind in form.columns.items()
    }
    found = read_rows(own_named(pd.DataFrame(columns, index=range(len(rows)))), form)
    for row, reason in wrong.items():
        found.reasons[row] = reason
    return Rows(found.values, pd.isna(found.reasons), found.reasons)


NOT_QUOTED = "has text between a closing quote and the next separator"


def column_of_texts(cells: Sequence[str], kind: str, form: Form) -> pd.Series:
    """Parse plain numbers, which a table of typed values does not have as texts.

    Args:
        cells: The fields of a column, without surrounding blanks and quotes.
        kind: The column's kind.
        form: The form of the records.

    Returns:
        The column as `read_rows` takes it.
    """
    if kind not in (INTEGER, DOUBLE):
        # Each text is read only once, since a column has few distinct ones.
        known: dict[str, int] = {}
        # Not by pandas, to which a text ends at its first null character.
        places = [known.setdefault(cell, len(known)) for cell in cells]
        return pd.Series(pd.Categorical.from_codes(places, pd.Index(list(known), dtype=object)))
    markers = form.markers
    whole = _parse_at_once(["" if cell in markers else cell for cell in cells], kind, form.decimal)
    if whole is not None:
        return whole
    each = [cell if cell in markers else parse_number(cell, form.decimal) for cell in cells]
    return pd.Series(each, dtype=object)


@cache
def _numbers(kind: str, decimal: str) -> re.Pattern[str]:
    """Return the pattern of a column of numbers or nothing, a line each."""
    # So many digits fit in 64 bits.
    number = "[+-]?[0-9]{1,18}" if kind == INTEGER else number_pattern(decimal)
    return re.compile(rf"(?:(?:{number})?\n)*+")


def _parse_at_once(cells: Sequence[str], kind: str, decimal: str) -> pd.Series | None:
    """Parse numbers or nothing; None if one of them needs a look."""
    lines = "\n".join([*cells, ""])
    # A cell with a line break in it would look like two.
    if lines.count("\n") > len(cells) or not _numbers(kind, decimal).fullmatch(lines):
        return None
    if kind == INTEGER:
        found = np.array([int(cell or 0) for cell in cells], np.int64)
        return pd.Series(pd.arrays.IntegerArray(found, np.array([not cell for cell in cells], bool)))
    if decimal == ",":
        cells = [cell.replace(",", ".") for cell in cells]
    numbers = np.array([float(cell or "nan") for cell in cells], np.float64)
    return None if np.isinf(numbers).any() else pd.Series(numbers)
