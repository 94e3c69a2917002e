"""The dialect of a CSV file, from its beginning: encoding, separator, decimal mark, header or none."""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from common.data.infer.decimal_mark import NUMBERS, Mark, find_decimal
from common.data.infer.no_csv import check_blanks, what_it_is
from common.data.infer.patterns import MARKERS, patterns
from common.data.reading import BREAK, UTF8, Unreadable, decode, split_fields, split_records

# Bytes of the first file that are looked at.
HEAD = 1 << 20
# Records that are looked at.
MOST = 5000
SEPARATORS = (",", ";", "\t", "|")
SINGLE_BYTE = ("cp1252", "latin-1")
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        encoding: Python's name of its encoding.
        separator: The character between two fields.
        decimal: The decimal mark of its numbers.
        has_header: Whether the first record has the columns' names.
        first: The fields of the first record.
        first_record: Its text.
        others: Encodings to try if the rest of the file is not valid in this one.
        is_marked: Whether the decimal mark is given, or a number at the file's beginning shows it.
    """

    encoding: str
    separator: str
    decimal: str
    has_header: bool
    first: tuple[str, ...]
    first_record: str
    others: tuple[str, ...] = ()
    is_marked: bool = True


def find_dialect(
    head: bytes,
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    names: Sequence[str] = (),
) -> Dialect:
    """Find the dialect of a file.

    Args:
        head: The first HEAD bytes of the file, or all if it has fewer.
        encoding: Its encoding; None to find it.
        separator: Its separator; None to find it.
        decimal: Its decimal mark; None to find it.
        names: Names that a header would contain at least one of, such as the label.

    Raises:
        Unreadable: It is no CSV, there are no records, the bytes are not valid in a given encoding, or
            the first record has another width than most.
    """
    if other := what_it_is(head):
        raise Unreadable(other)
    encoding, others = (encoding, ()) if encoding else find_encoding(head)
    text = _whole_lines(decode(head, encoding) if len(head) < HEAD else _decoded(head, encoding), head)
    is_given, separator = separator is not None, separator or _find_separator(text)
    records = _records(text, separator)
    if not records:
        raise Unreadable("has no records")
    rows = [fields for record in records if (fields := split_fields(record, separator)) is not None]
    if not is_given:
        check_blanks(records, max(map(len, rows), default=1))
    first = split_fields(records[0], separator)
    if first is None:
        raise Unreadable("line 1 has text between a closing quote and the next separator")
    _check_width(first, rows)
    rows = [row for row in rows[1:] if len(row) == len(first)]
    mark = Mark(decimal, is_shown=True) if decimal else find_decimal(separator, rows)
    is_header = has_header(first, rows, mark.mark, names)
    return Dialect(
        encoding, separator, mark.mark, is_header, tuple(first), records[0], others, mark.is_shown
    )


def find_encoding(head: bytes) -> tuple[str, tuple[str, ...]]:
    """Return a file's encoding, and others to try if the rest of the file is not valid in it.

    Only a head of plain ASCII leaves room for another encoding than UTF-8.

    Raises:
        Unreadable: The file is UTF-16, or most of it is UTF-8 but not all.
    """
    if head.startswith(UTF16) or b"\0" in head[:1000]:
        raise Unreadable("is UTF-16 or not text at all: save it as UTF-8")
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder(UTF8)().decode(head, final=len(head) < HEAD)
        return UTF8, SINGLE_BYTE if head.isascii() else ()
    except UnicodeDecodeError:
        _check_mixed(head)
    try:
        head.decode(SINGLE_BYTE[0])
        return SINGLE_BYTE[0], SINGLE_BYTE[1:]
    except UnicodeDecodeError:
        return SINGLE_BYTE[1], ()


def _check_mixed(head: bytes) -> None:
    """Refuse text in UTF-8 with some bytes that are not: as another encoding, all of it would be wrong.

    Text in a single-byte encoding has hardly ever two bytes beside each other that are one character.
    """
    read = head.decode(UTF8, errors="replace")
    wrong = read.count("\ufffd")
    if sum(not character.isascii() for character in read) > 2 * wrong:
        decode(head, UTF8)


def _decoded(head: bytes, encoding: str) -> str:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return decode(head, encoding)


def _whole_lines(text: str, head: bytes) -> str:
    """Leave out the last line if the head ends within it."""
    breaks = list(BREAK.finditer(text)) if len(head) >= HEAD else []
    return text[: breaks[-1].end()] if breaks else text


def _records(text: str, separator: str) -> list[str]:
    found: list[str] = []
    try:
        for record in split_records(text, separator):
            found.append(record.text)
            if len(found) == MOST:
                break
    except Unreadable:
        # The head ends within quotes, or this is not the separator.
        pass
    return found


def _find_separator(text: str) -> str:
    """Return the separator that gives the same number of fields, above one, on the most records.

    If two do, it is the one whose fields have less of the others in them: "1,5;2,5" is two numbers.
    """
    best, chosen = (0, 0.0, 0), SEPARATORS[0]
    for separator in SEPARATORS:
        rows = [split_fields(record, separator) for record in _records(text, separator)]
        widths = Counter(len(row) for row in rows if row is not None and len(row) > 1)
        if not widths:
            continue
        width, records = widths.most_common(1)[0]
        fields = [field for row in rows if row is not None and len(row) == width for field in row]
        score = (records, _clean(fields, separator), width)
        if score > best:
            best, chosen = score, separator
    return chosen


def _clean(fields: Sequence[str], separator: str) -> float:
    """Return the share of fields without another separator, except as a decimal comma."""
    others = set(SEPARATORS) - {separator}
    number = re.compile(patterns(",").number)
    clean = sum(not others & set(field) or bool(number.fullmatch(field)) for field in fields)
    return clean / len(fields)


def _check_width(first: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width, records = Counter(map(len, rows)).most_common(1)[0]
    if width != len(first) and 2 * records > len(rows) > 2:
        raise Unreadable(
            f"has {len(first)} fields in its first record but {width} in most: the first must be the "
            "header or a row like the others"
        )


def has_header(
    first: Sequence[str], rows: Sequence[Sequence[str]], decimal: str, names: Sequence[str] = ()
) -> bool:
    """Decide whether a first record has the names of the columns.

    It does if it contains one of `names`; or has no number or date, but stands above some; or has
    distinct texts, none of which is a value below it, and no column below is one of numbers.

    Args:
        first: The fields of the first record.
        rows: The fields of the records after it.
        decimal: The decimal mark.
        names: Names that a header would contain at least one of; case is ignored.
    """
    given = {name.lower() for name in names}
    if any(field.lower() in given for field in first if field):
        return True
    if any(_is_number(field, decimal) for field in first):
        return False
    columns = list(_columns(first, rows))
    for field, values in columns:
        numbers = sum(_is_number(value, decimal) for value in values)
        if numbers and field and field not in MARKERS and numbers >= NUMBERS * len(values):
            return True
    if any(all(_is_number(value, decimal) for value in values) and values for _, values in columns):
        return False
    is_named = "" not in first and len({field.lower() for field in first}) == len(first)
    return is_named and not any(field in values for field, values in columns)


def _columns(first: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    below = list(zip_longest(*rows, fillvalue="")) or [()] * len(first)
    for field, values in zip(first, below, strict=True):
        yield field, [value for value in values if value and value not in MARKERS]


def _is_number(field: str, decimal: str) -> bool:
    known = patterns(decimal)
    if not re.match(known.start, field):
        return False
    shapes = (known.number, known.grouped, known.percent, known.currency, known.date, known.timestamp)
    return any(re.fullmatch(shape, field) for shape in shapes)
