"""Parquet files as a frame on Spark, also with types that Spark does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.records.csv_files import UnreadableFile
from common.data.row_hash import quoted
from common.errors import last_cause
from common.machine.file_system import literal

NANOS = "TIMESTAMP(NANOS"
NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"


def open_parquet(spark: SparkSession, uri: str, files: Sequence[str]) -> DataFrame:
    """Open Parquet; timestamps of nanoseconds become ones of microseconds, and columns of nulls texts.

    pandas writes such timestamps, and Arrow such columns.

    Args:
        spark: The session.
        uri: URI of the file or folder.
        files: URIs of its files; the first tells the columns.

    Raises:
        UnreadableFile: A file is no Parquet, or a column of nanoseconds or nulls in the first is another
            in it.
    """
    types = _logical_types(spark, files[0])
    nanos = [name for name, found in types.items() if found.startswith(NANOS)]
    if nanos:
        # Spark has no such type, and refuses the whole file unless it may read them as integers. It looks
        # up the setting whenever the frame is used, so it stays.
        spark.conf.set(NANOS_AS_LONG, "true")
    frame = spark.read.option("recursiveFileLookup", "true").parquet(literal(uri))
    # Spark takes the type of nothing for that of integers.
    nothing = [name for name, found in types.items() if found == "UNKNOWN"]
    _check_alike(spark, files[1:], types, nanos + nothing)
    changed = {name: _micros(quoted(name)) for name in nanos}
    changed |= {name: quoted(name).cast("string") for name in nothing}
    return frame.withColumns(changed) if changed else frame


def _check_alike(
    spark: SparkSession, files: Sequence[str], types: Mapping[str, str], names: Sequence[str]
) -> None:
    """Refuse columns that Spark would read as the integers that it takes the first file's for.

    It would do so with microseconds and with days, without a word.
    """
    for file in files if names else ():
        found = _logical_types(spark, file)
        for name in names:
            if name in found and _kind(found[name]) != _kind(types[name]):
                raise UnreadableFile(
                    file,
                    f"column {name!r} is {found[name] or 'of another type'}, but {types[name]} in the "
                    "first file: write all alike",
                )


def _kind(name: str) -> str:
    # The zone is no part of it.
    return NANOS if name.startswith(NANOS) else name


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
