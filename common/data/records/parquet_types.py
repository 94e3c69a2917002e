"""How the files of a folder of Parquet store their columns, and whether they are one table."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from common.data.records.files import UnreadableFile
from common.errors import last_cause

NANOS = "TIMESTAMP(NANOS"
NOTHING = "UNKNOWN"
INTEGERS, FLOATS = "integers", ("FLOAT", "DOUBLE")
PLAIN = "a plain value"
# Files whose end is read at once; where files are far away, each takes a tenth of a second.
AT_ONCE = 16


class Stored(NamedTuple):
    """How the columns of a table are stored, by their names, those of the first file first.

    Attributes:
        types: Parquet's own name of each column's type; empty for plain integers.
        kinds: Of columns that Spark cannot read alike in all files, how each file that has it stores it.
        lacking: The files that lack a column: Spark fills it with nulls.
    """

    types: Mapping[str, str]
    kinds: Mapping[str, Mapping[str, str]]
    lacking: Mapping[str, Sequence[str]]


def find_stored(spark: SparkSession, files: Sequence[str], types: Mapping[str, str]) -> Stored:
    """Look how files store their columns, and refuse one that means something else in some of them.

    Spark takes the columns of the first file alone, reads microseconds, days or hundredths as the
    integers in which they are stored if those of the first file are integers, and keeps the last bits of
    integers that are wider than there, all without a word. Integers in one file and fractions in another
    are numbers, and pandas writes both if only some months have a missing value; a column of nulls may be
    anything.

    Args:
        spark: The session.
        files: The URIs of all files.
        types: The types of the first one's columns.

    Raises:
        UnreadableFile: A file is no Parquet, or not like the others.
    """
    merged = dict(types)
    kinds = {name: {files[0]: _kind(logical)} for name, logical in types.items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        every = pool.map(lambda one: logical_types(spark, one), files[1:])
        for file, found in zip(files[1:], every, strict=True):
            for name, logical in found.items():
                before = merged.setdefault(name, NOTHING)
                if not _fits(logical, before):
                    raise UnreadableFile(
                        file,
                        f"column {name!r} is {logical or PLAIN}, but {before or PLAIN} in files "
                        "before it: write all alike",
                    )
                if before == NOTHING or logical in FLOATS:
                    merged[name] = logical
                kinds.setdefault(name, {})[file] = _kind(logical)
    lacking = {
        name: [file for file in files if file not in having]
        for name, having in kinds.items()
        if len(having) < len(files)
    }
    unlike = {name: found for name, found in kinds.items() if len(set(found.values())) > 1}
    return Stored(merged, unlike, lacking)


def logical_types(spark: SparkSession, file: str) -> dict[str, str]:
    """Return the name of each column's type in a file, as in `Stored`."""
    java = spark.sparkContext._jvm
    assert java is not None
    parquet = java.org.apache.parquet.hadoop
    path = java.org.apache.hadoop.fs.Path(file)
    settings = spark.sparkContext._jsc.hadoopConfiguration()
    try:
        reader = parquet.ParquetFileReader.open(parquet.util.HadoopInputFile.fromPath(path, settings))
    except Py4JJavaError as error:
        raise UnreadableFile(file, f"is no Parquet that can be read: {last_cause(error)}") from None
    try:
        fields = reader.getFooter().getFileMetaData().getSchema().getFields()
        return {field.getName(): _name(field) for field in fields}
    finally:
        reader.close()


def _name(field: Any) -> str:
    annotation = field.getLogicalTypeAnnotation()
    if annotation is not None:
        return str(annotation.toString())
    # Such as `optional double price`.
    physical = re.match(r"\w+ (\w+)", field.toString())
    assert physical is not None
    return "" if physical[1] in ("int32", "int64") else physical[1].upper()


def _kind(logical: str) -> str:
    """Return what Spark reads alike in all files."""
    return INTEGERS if _is_integer(logical) else logical if logical in FLOATS else _meaning(logical)


def _fits(logical: str, first: str) -> bool:
    """Return whether a column can be one with what is stored before it."""
    if NOTHING in (logical, first):
        return True
    if _is_integer(logical) and _is_integer(first):
        return _bits(logical) <= _bits(first)
    are_numbers = all(_is_integer(one) or one in FLOATS for one in (logical, first))
    return are_numbers or _meaning(logical) == _meaning(first)


def _is_integer(logical: str) -> bool:
    return not _meaning(logical)


def _bits(logical: str) -> int:
    """Return how wide integers are; 64 also for those of 32, since Spark tells these apart."""
    found = re.fullmatch(r"INTEGER\((8|16),true\)", logical)
    return int(found[1]) if found else 64


def _meaning(logical: str) -> str:
    """Return what tells how a stored value is to be read; the width of integers and the zone do not."""
    if logical.startswith(("TIMESTAMP", "DECIMAL")):
        return NANOS if logical.startswith(NANOS) else logical.partition("(")[0]
    return "" if logical.startswith("INTEGER") and logical.endswith("true)") else logical
