"""Parquet files as a frame on Spark, also with types that Spark does not know."""

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.records.files import UnreadableFile, value_folder
from common.data.row_hash import quoted
from common.errors import last_cause
from common.machine.file_system import literal

NANOS = "TIMESTAMP(NANOS"
PLAIN = "a plain value"
# Spark refuses a whole file for one of these, and does not say which column it is.
UNKNOWN_TO_SPARK = ("TIME(", "FLOAT16", "INTERVAL")
# Files whose end is read at once; where files are far away, each takes a tenth of a second.
AT_ONCE = 16
NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"
# Whether Spark takes the values of folders' names for numbers and dates.
INFERS = "spark.sql.sources.partitionColumnTypeInference.enabled"


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
        files: URIs of its files; the first tells the columns.
        texts: Names of columns whose values are texts, if the names of folders are the values.

    Raises:
        UnreadableFile: A file is no Parquet, has a column of a type that Spark does not know, one that
            the first file lacks, one whose name differs from another's in case alone, or one that is
            stored otherwise, such as days where that has nulls.
    """
    types = _logical_types(spark, files[0])
    _check_case(files[0], list(types))
    for name, found in types.items():
        if found.startswith(UNKNOWN_TO_SPARK):
            raise UnreadableFile(
                files[0], f"column {name!r} is {found}, which Spark does not read: write it otherwise"
            )
    nanos = [name for name, found in types.items() if found.startswith(NANOS)]
    if nanos:
        # Spark has no such type, and refuses the whole file unless it may read them as integers. It looks
        # up the setting whenever the frame is used, so it stays.
        spark.conf.set(NANOS_AS_LONG, "true")
    # Asked to look into all folders, Spark does not take their names for values of a column.
    everywhere = value_folder(uri, files) is None
    frame = spark.read.option("recursiveFileLookup", everywhere).parquet(literal(uri))
    if not everywhere:
        frame = _with_texts(spark, uri, files, frame, texts)
    # Spark takes the type of nothing for that of integers.
    nothing = [name for name, found in types.items() if found == "UNKNOWN"]
    lacking = _check_alike(spark, files[1:], types)
    changed = {name: _micros(quoted(name)) for name in nanos}
    changed |= {name: quoted(name).cast("string") for name in nothing}
    told = "; ".join(["Parquet", *(_told(name, some) for name, some in lacking.items())])
    return ParquetFiles(frame.withColumns(changed) if changed else frame, told)


def _check_case(file: str, names: Sequence[str]) -> None:
    """Refuse names that Spark cannot tell apart."""
    known: dict[str, str] = {}
    for name in names:
        if (other := known.setdefault(name.lower(), name)) != name:
            raise UnreadableFile(
                file, f"has the columns {other!r} and {name!r}, which Spark takes for one: rename one"
            )


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
    before = spark.conf.get(INFERS)
    spark.conf.set(INFERS, "false")
    try:
        plain = spark.read.parquet(literal(uri))
    finally:
        spark.conf.set(INFERS, str(before))
    return plain.select(
        *[
            quoted(name) if name in kept else quoted(name).cast(type_).alias(name)
            for name, type_ in found.items()
        ]
    )


def _check_alike(
    spark: SparkSession, files: Sequence[str], types: Mapping[str, str]
) -> dict[str, list[str]]:
    """Refuse files that have more columns than the first, or a column of another meaning.

    Spark leaves out such columns, reads microseconds, days or hundredths as the integers in which they
    are stored if those of the first file are integers, and keeps the last bits of integers that are wider
    than there, all without a word.

    Returns:
        The files that lack a column, by its name: Spark fills it with nulls.
    """
    lacking: dict[str, list[str]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for file, found in zip(
            files, pool.map(lambda one: _logical_types(spark, one), files), strict=True
        ):
            if more := [name for name in found if name not in types]:
                raise UnreadableFile(
                    file, f"has the column {more[0]!r}, but not the first file: write all alike"
                )
            for name, logical in found.items():
                narrow = _bits(logical) > _bits(types[name])
                if narrow or _meaning(logical) != _meaning(types[name]):
                    raise UnreadableFile(
                        file,
                        f"column {name!r} is {logical or PLAIN}, but {types[name] or PLAIN} in the "
                        "first file: write all alike",
                    )
            for name in types:
                if name not in found:
                    lacking.setdefault(name, []).append(file)
    return lacking


def _told(name: str, lacking: Sequence[str]) -> str:
    more = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
    return f"column {name!r} is not in {lacking[0]}{more}, whose rows have no value there"


def _bits(logical: str) -> int:
    """Return how wide integers are; 64 also for those of 32, since Spark tells these apart."""
    found = re.fullmatch(r"INTEGER\((8|16),true\)", logical)
    return int(found[1]) if found else 64


def _meaning(logical: str) -> str:
    """Return what tells how a stored value is to be read; the width of integers and the zone do not."""
    if logical.startswith(("TIMESTAMP", "DECIMAL")):
        return NANOS if logical.startswith(NANOS) else logical.partition("(")[0]
    return "" if logical.startswith("INTEGER") and logical.endswith("true)") else logical


def _micros(nanos: Column) -> Column:
    # Whole microseconds first: a division of such integers would be one of doubles.
    whole = (nanos - F.pmod(nanos, F.lit(1000))).cast("decimal(20,0)")
    return F.timestamp_micros((whole / 1000).cast("bigint"))


def _logical_types(spark: SparkSession, file: str) -> dict[str, str]:
    """Return Parquet's own name of each column's type; empty for one that has only a physical type."""
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
        return {field.getName(): _name(field.getLogicalTypeAnnotation()) for field in fields}
    finally:
        reader.close()


def _name(annotation: Any) -> str:
    return "" if annotation is None else str(annotation.toString())
