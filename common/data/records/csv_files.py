"""CSV files as raw records on Spark, by the grammar of `common/data/reading`."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.reading import (
    BREAK,
    UTF8,
    Form,
    Header,
    Unreadable,
    decode,
    encoding_name,
    find_columns,
    first_fields,
    grammar,
    high_characters,
    not_encoded,
    split_records,
)
from common.data.records.files import UnreadableFile
from common.data.records.over_lines import (
    BLOCK,
    FILE,
    LINE,
    PLACE,
    RECORD,
    VALUE,
    is_blank,
    records_over_lines,
)
from common.machine.file_system import literal

# Whether a line that is not ASCII is valid UTF-8, if the encoding is another.
UTF8_TOO = "__utf8"
# Lines with characters beyond ASCII from which a file is taken for UTF-8, if all are valid in it. In a
# Latin encoding such characters hardly ever stand so beside each other; in others a word may be so.
LATIN, IN_LATIN, ELSEWHERE = ("iso8859-1", "cp1252", "iso8859-15"), 1, 10
# Number of lines that are searched for the end of a file's first record.
FIRST = 1000


@dataclass(frozen=True)
class CsvFiles:
    """CSV files whose form was determined.

    Attributes:
        records: The columns FILE, RECORD (the text), and the position in the file: BLOCK and PLACE, or
            LINE.
        header: The positions of the columns.
        quoted: Whether any field is quoted.
        over_lines: Whether any record spans lines; each file is then read in one piece.
        lines: Number of lines of all files.
    """

    records: DataFrame
    header: Header
    quoted: bool
    over_lines: bool
    lines: int


@dataclass(frozen=True)
class _Found:
    """Properties of the lines of some files.

    Attributes:
        foreign: Number of lines that are not valid in the encoding.
        quoted: Number of lines with a quote.
        opening: Number of lines that end inside quotes.
        repeated: Whether a file has its header twice.
        lines: Number of lines.
    """

    foreign: int
    quoted: int
    opening: int
    repeated: bool
    lines: int


def open_csv(
    spark: SparkSession, uri: str, files: Sequence[str], form: Form, is_headed: bool = False
) -> CsvFiles:
    """Scan all lines once to determine how they are read.

    The first record of the first file decides whether all have a header. If no line ends inside quotes,
    each line is a record and files can be read in parts. Otherwise each file's lines are joined in order.

    Args:
        spark: The session.
        uri: URI of the file or folder.
        files: URIs of its files.
        form: The form of the records.
        is_headed: Whether each file must begin with the first record, which stays among the records.

    Raises:
        Unreadable: Bytes are not valid in the form's encoding, a quote is not closed, a file does not
            begin with the first file's header, or there are no records.
    """
    first = _first_record(spark, files[0], form)
    header = find_columns(first_fields(first, form.separator), form)
    lines = _lines(spark, uri, form)
    found = _look_through(lines, files, first if header.there or is_headed else None, form)
    if found.foreign:
        foreign = lines.where(F.col(VALUE).isNull()).withColumnRenamed(VALUE, RECORD)
        place = first_place(spark, uri, foreign, form)
        assert place is not None
        raise UnreadableFile(place.file, not_encoded(place.line, form.encoding))
    if found.opening or found.repeated:
        records = records_over_lines(lines, header.there, form)
    else:
        kept = ~is_blank(F.col(VALUE), form)
        if header.there:
            kept &= F.col(VALUE) != first
        records = lines.where(kept).withColumnRenamed(VALUE, RECORD).drop(UTF8_TOO)
    return CsvFiles(records, header, bool(found.quoted), bool(found.opening), found.lines)


def fields_of(record: Column, quoted: bool, separator: str) -> tuple[Column, Column]:
    """Return the raw fields of a record as an array, and whether the record is well-formed."""
    rules = grammar(separator)
    plain = F.split(record, f"\\Q{separator}\\E", -1)
    if not quoted:
        return plain, F.lit(True)
    ended = F.concat(record, F.lit(separator))
    has_quote = record.contains('"')
    fields = F.regexp_extract_all(ended, F.lit(rules.field), F.lit(1))
    return F.when(has_quote, fields).otherwise(plain), ~has_quote | ended.rlike(rules.record)


def field_text(field: Column, quoted: bool, separator: str) -> Column:
    """Return the text of a raw field, without surrounding blanks and quotes; null if it is empty."""
    blanks = F.lit(grammar(separator).blanks)
    text = F.trim(field, blanks)
    if quoted:
        inner = F.replace(F.substr(text, F.lit(2), F.length(text) - 2), F.lit('""'), F.lit('"'))
        text = F.when(text.startswith('"'), F.trim(inner, blanks)).otherwise(text)
    return F.when(text != "", text)


@dataclass(frozen=True)
class Place:
    """The position of a record: its file, the number of its first line, and its text."""

    file: str
    line: int
    record: str


def first_place(spark: SparkSession, uri: str, records: DataFrame, form: Form) -> Place | None:
    """Return the position of the first of some records, in the first file that has one.

    Args:
        spark: The session.
        uri: The URI from which the records were read.
        records: A subset of `CsvFiles.records`.
        form: The form of the records.

    Returns:
        The position; None if there are no records.
    """
    order = (LINE,) if LINE in records.columns else (BLOCK, PLACE)
    found = records.agg(F.min(F.struct(FILE, *order, RECORD)).alias("first")).first()
    if found is None or found["first"] is None:
        return None
    first = found["first"]
    if LINE in order:
        number = first[LINE]
    else:
        block, place = first[BLOCK], first[PLACE]
        before = (F.col(BLOCK) < block) | ((F.col(BLOCK) == block) & (F.col(PLACE) < place))
        earlier = _lines(spark, uri, form).where((F.col(FILE) == first[FILE]) & before)
        number = earlier.count() + 1
    return Place(unquote(first[FILE]), number, first[RECORD])


def _lines(spark: SparkSession, uri: str, form: Form) -> DataFrame:
    found = spark.read.option("recursiveFileLookup", "true").text(literal(uri))
    return found.select(
        _decoded(F.col("value"), form).alias(VALUE),
        _is_utf8_too(F.col("value"), form).alias(UTF8_TOO),
        F.col("_metadata.file_path").alias(FILE),
        # Together these two columns order the lines of a file.
        F.col("_metadata.file_block_start").alias(BLOCK),
        F.monotonically_increasing_id().alias(PLACE),
    )


def _decoded(value: Column, form: Form) -> Column:
    """Decode a line; null if its bytes are not valid in the encoding."""
    if encoding_name(form.encoding) == UTF8:
        return F.when(F.is_valid_utf8(value), value)
    # Spark knows few encodings, so a line is decoded as Latin-1 and its characters are then replaced.
    latin = [bytes([number]).decode("latin-1") for number in range(128, 256)]
    pairs = list(zip(latin, high_characters(form.encoding), strict=True))
    known = [(byte, character) for byte, character in pairs if character is not None]
    unknown = "".join(byte for byte, character in pairs if character is None)
    text = F.decode(value.cast("binary"), "ISO-8859-1")
    translated = F.translate(text, *map("".join, zip(*known, strict=True)))
    return F.when(~text.rlike(f"[{unknown}]"), translated) if unknown else translated


def _is_utf8_too(value: Column, form: Form) -> Column:
    """Return whether a line that is not ASCII is valid UTF-8, if the encoding is another; else null."""
    if encoding_name(form.encoding) == UTF8:
        return F.lit(None).cast("boolean")
    is_high = F.decode(value.cast("binary"), "ISO-8859-1").rlike(r"[\x80-\xff]")
    return F.when(is_high, F.is_valid_utf8(value))


def _first_record(spark: SparkSession, file: str, form: Form) -> str:
    lines = spark.read.text(literal(file))
    lines = lines.where(~is_blank(F.col("value"), form)).select(F.col("value").cast("binary"))
    for most in (1, FIRST):
        found = lines.take(most)
        text = "\n".join(decode(bytes(row[0]), form.encoding) for row in found)
        try:
            return next(split_records(text, form.separator)).text
        except Unreadable:
            if len(found) < most:
                raise
        except StopIteration:
            raise Unreadable("has no rows") from None
    raise Unreadable(f"line 1 opens a quote that is not closed in the {FIRST} lines after it")


def _look_through(lines: DataFrame, files: Sequence[str], header: str | None, form: Form) -> _Found:
    value = F.col(VALUE)
    blank = is_blank(value, form)
    quoted = value.contains('"')
    place = F.when((F.col(BLOCK) == 0) & ~blank, F.col(PLACE))
    is_header = F.lit(False) if header is None else value == header
    counts = [
        F.count_if(value.isNull()).alias("foreign"),
        F.count_if(quoted).alias("quoted"),
        F.count_if(quoted & value.rlike(grammar(form.separator).opens)).alias("opening"),
        F.min(place).alias("first"),
        F.count_if(is_header).alias("headers"),
        F.count(F.lit(1)).alias("lines"),
        F.count(UTF8_TOO).alias("high"),
        F.count_if(UTF8_TOO).alias("utf8"),
        F.min(F.when(is_header, place)).alias("first_header"),
    ]
    # A single file needs no shuffle by file.
    one = [F.lit(files[0]).alias(FILE)]
    found = (lines.groupBy(FILE).agg(*counts) if len(files) > 1 else lines.agg(*one, *counts)).collect()
    encoding = encoding_name(form.encoding)
    least = IN_LATIN if encoding in LATIN else ELSEWHERE
    for file in sorted(found):
        if file["high"] == file["utf8"] >= least:
            raise UnreadableFile(file[FILE], f"is UTF-8, not {encoding}: give the file's encoding")
        other = file["first"] != file["first_header"]
        begins_so = header is None or BREAK.search(header) or not other
        if not begins_so and not file["foreign"] and file["first"] is not None:
            first = files[0].rpartition("/")[2]
            raise UnreadableFile(
                file[FILE], f"does not begin with the header of the first file, {first!r}"
            )
    return _Found(
        sum(file["foreign"] for file in found),
        sum(file["quoted"] for file in found),
        sum(file["opening"] for file in found),
        header is not None and any(file["headers"] > 1 for file in found),
        sum(file["lines"] for file in found),
    )
