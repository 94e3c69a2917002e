"""Parquet files as a frame on Spark, whatever wrote their timestamps."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.machine.file_system import literal

NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"


def open_parquet(spark: SparkSession, uri: str, files: Sequence[str]) -> DataFrame:
    """Open Parquet; timestamps of nanoseconds, as pandas writes them, become ones of microseconds.

    Args:
        spark: The session.
        uri: URI of the file or folder.
        files: URIs of its files; the first tells the columns.
    """
    nanos = _nanosecond_columns(spark, files[0])
    if nanos:
        # Spark has no such type, and refuses the whole file unless it may read them as integers. It looks
        # up the setting whenever the frame is used, so it stays.
        spark.conf.set(NANOS_AS_LONG, "true")
    frame = spark.read.option("recursiveFileLookup", "true").parquet(literal(uri))
    return frame.withColumns({name: _micros(quoted(name)) for name in nanos}) if nanos else frame


def _micros(nanos: Column) -> Column:
    # Whole microseconds first: a division of such integers would be one of doubles.
    whole = (nanos - F.pmod(nanos, F.lit(1000))).cast("decimal(20,0)")
    return F.timestamp_micros((whole / 1000).cast("bigint"))


def _nanosecond_columns(spark: SparkSession, file: str) -> list[str]:
    java = spark.sparkContext._jvm
    assert java is not None
    parquet = java.org.apache.parquet.hadoop
    path = java.org.apache.hadoop.fs.Path(file)
    settings = spark.sparkContext._jsc.hadoopConfiguration()
    reader = parquet.ParquetFileReader.open(parquet.util.HadoopInputFile.fromPath(path, settings))
    try:
        fields = reader.getFooter().getFileMetaData().getSchema().getFields()
        return [
            field.getName()
            for field in fields
            if str(field.getLogicalTypeAnnotation() or "").startswith("TIMESTAMP(NANOS")
        ]
    finally:
        reader.close()
