"""Parquet files as a frame on Spark, also with types that Spark does not know."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.records.files import UnreadableFile, value_folder
from common.data.records.parquet_types import NANOS, NOTHING, Stored, find_stored, logical_types
from common.data.records.parquet_unlike import read_unlike, told_of
from common.data.row_hash import quoted
from common.machine.file_system import literal

# Spark refuses a whole file for one of these, and does not say which column it is.
UNKNOWN_TO_SPARK = ("TIME(", "FLOAT16", "INTERVAL")
# The most digits of its decimals.
MOST_DIGITS = 38
NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"


class ParquetFiles(NamedTuple):
    """The rows of all files, and for the user how these are read."""

    frame: DataFrame
    told: str


def open_parquet(
    spark: SparkSession, uri: str, files: Sequence[str], texts: Collection[str] = ()
) -> ParquetFiles:
    """Open Parquet; timestamps of nanoseconds become ones of microseconds, and columns of nulls texts.

    pandas writes such timestamps, and Arrow such columns.

    Args:
        spark: The session.
        uri: URI of the file or folder.
        files: URIs of its files.
        texts: Names of columns whose values are texts, if the names of folders are the values.

    Raises:
        UnreadableFile: A file is no Parquet, has a column of a type that Spark does not know, one whose
            name differs from another's in case alone, or one that is stored otherwise than in files
            before it, such as days where these have text.
    """
    types = logical_types(spark, files[0])
    _check_case(files[0], list(types))
    _check_known(files[0], types)
    stored = find_stored(spark, files, types)
    # What is wrong now is of a file that has more columns than the first.
    _check_case(uri, list(stored.types))
    _check_known(uri, stored.types)
    nanos = [name for name, found in stored.types.items() if found.startswith(NANOS)]
    if nanos:
        # Spark has no such type, and refuses the whole file unless it may read them as integers. It looks
        # up the setting whenever the frame is used, so it stays.
        spark.conf.set(NANOS_AS_LONG, "true")
    # Asked to look into all folders, Spark does not take their names for values of a column.
    everywhere = value_folder(uri, files) is None
    reader = spark.read.option("recursiveFileLookup", everywhere)
    frame = reader.parquet(literal(uri))
    if more := [name for name in stored.types if name not in types]:
        frame = reader.schema(_with(spark, frame.schema, more, files, stored)).parquet(literal(uri))
    if stored.kinds:
        if not everywhere:
            name, kinds = next(iter(stored.kinds.items()))
            raise UnreadableFile(
                uri, f"column {name!r} is {' or '.join(sorted(set(kinds.values())))}: write all alike"
            )
        frame = read_unlike(spark, files, frame.schema, stored)
    if not everywhere:
        frame = _with_texts(spark, uri, files, frame, texts)
    told = "; ".join(["Parquet", *told_of(stored, len(files))])
    return ParquetFiles(_in_known_types(frame, stored, nanos), told)


def _in_known_types(frame: DataFrame, stored: Stored, nanos: Collection[str]) -> DataFrame:
    # Spark takes the type of nothing for that of integers.
    nothing = [name for name, found in stored.types.items() if found == NOTHING]
    changed = {name: _micros(quoted(name)) for name in nanos}
    changed |= {name: quoted(name).cast("string") for name in nothing}
    return frame.withColumns(changed) if changed else frame


def _check_case(file: str, names: Sequence[str]) -> None:
    """Refuse names that Spark cannot tell apart."""
    known: dict[str, str] = {}
    for name in names:
        if (other := known.setdefault(name.lower(), name)) != name:
            raise UnreadableFile(
                file, f"has the columns {other!r} and {name!r}, which Spark takes for one: rename one"
            )


def _check_known(file: str, types: Mapping[str, str]) -> None:
    for name, found in types.items():
        digits = re.match(r"DECIMAL\(([0-9]+)", found)
        if found.startswith(UNKNOWN_TO_SPARK) or (digits and int(digits[1]) > MOST_DIGITS):
            raise UnreadableFile(
                file, f"column {name!r} is {found}, which Spark does not read: write it otherwise"
            )


def _with(
    spark: SparkSession, schema: T.StructType, more: Sequence[str], files: Sequence[str], stored: Stored
) -> T.StructType:
    """Return the schema of the first file with the columns that only others have."""
    for name in more:
        having = next(file for file in files if file not in stored.lacking[name])
        schema = schema.add(spark.read.parquet(literal(having)).schema[name])
    return schema


def _with_texts(
    spark: SparkSession, uri: str, files: Sequence[str], frame: DataFrame, texts: Collection[str]
) -> DataFrame:
    """Return the frame with the names of folders as texts where the column is one, or they are codes.

    Spark takes 01067 for a number, and so loses what the folder is called. 01 may be a month or an hour,
    unless the column is known to be one of texts.
    """
    named = {unquote(name) for file in files for name in re.findall(r"([^/=]+)=[^/]*/", file)}
    codes = {unquote(name) for file in files for name in re.findall(r"([^/=]+)=0[0-9]{2,}/", file)}
    lower = {name.lower() for name in texts}
    kept = codes | {name for name in named if name.lower() in lower}
    found = {field.name: field.dataType for field in frame.schema}
    if all(isinstance(found.get(name, T.StringType()), T.StringType) for name in kept):
        return frame
    schema = T.StructType(
        [T.StructField(name, T.StringType() if name in kept else kind) for name, kind in found.items()]
    )
    return spark.read.schema(schema).parquet(literal(uri))


def _micros(nanos: Column) -> Column:
    # Whole microseconds first: a division of such integers would be one of doubles.
    whole = (nanos - F.pmod(nanos, F.lit(1000))).cast("decimal(20,0)")
    return F.timestamp_micros((whole / 1000).cast("bigint"))
