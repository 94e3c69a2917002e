"""Rows of a data set from CSV or Parquet, checked before anything is kept."""

from functools import reduce
from pathlib import Path
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.datasets.fetch import Location
from common.datasets.spec import Column as SpecColumn
from common.datasets.spec import DatasetSpec
from common.errors import UserError, first_line
from common.row_hash import quoted

# Wide enough for every 64-bit integer and for the ".0" that pandas appends to integers.
EXACT = "decimal(38,6)"


def read(spark: SparkSession, spec: DatasetSpec, location: Location) -> DataFrame:
    """Read and check a data set: values trimmed, types enforced, the missing marker kept as text.

    A CSV file has no header, or one that is the columns' names. Two passes: one checks, and the
    frame that is given back reads again when it is used.

    Raises:
        UserError: the source cannot be read or has no rows, or a row has the wrong number of fields,
            a number that is none, or a label that is not the spec's; the first such line is named.
    """
    try:
        raw = _raw_parquet if _is_parquet(location) else _raw_csv
        checked = _check_values(spec, raw(spark, spec, location.uri))
        rows, bad = checked.agg(F.count(F.lit(1)), F.count("__problem")).first() or (0, 0)
        if bad:
            raise UserError(_describe_first(spark, spec, checked, bad))
    except (Py4JJavaError, PySparkException) as error:
        raise UserError(f"source {location.uri} cannot be read: {first_line(error)}") from None
    if rows == 0:
        raise UserError(f"source {location.uri} has no rows")
    return checked.select(*[quoted(name) for name in spec.names])


def _is_parquet(location: Location) -> bool:
    if location.uri.rstrip("/").endswith(".parquet"):
        return True
    folder = Path(location.uri.removeprefix("file://"))
    return folder.is_dir() and any(folder.rglob("*.parquet"))


def _raw_parquet(spark: SparkSession, spec: DatasetSpec, uri: str) -> DataFrame:
    frame = spark.read.parquet(uri)
    lacking = [name for name in spec.names if name not in frame.columns]
    if lacking:
        raise UserError(f"source {uri} lacks the columns {', '.join(lacking)} of dataset {spec.name!r}")
    fields = [quoted(name).cast("string").alias(name) for name in spec.names]
    return frame.select(
        F.struct(*fields).alias("__raw"),
        F.lit(None).cast("string").alias("__malformed"),
        F.lit(None).cast("string").alias("__line"),
        F.lit(uri).alias("__file"),
    )


def _raw_csv(spark: SparkSession, spec: DatasetSpec, uri: str) -> DataFrame:
    schema = T.StructType([T.StructField(name, T.StringType()) for name in spec.names])
    schema.add("__malformed", T.StringType())
    options = {
        "sep": spec.separator,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "__malformed",
        "ignoreLeadingWhiteSpace": "true",
        "ignoreTrailingWhiteSpace": "true",
        "maxColumns": str(max(20480, len(spec.names))),
    }
    ddl = ", ".join(f"`{field.name}` string" for field in schema)
    lines = spark.read.text(uri).select(
        F.col("value").alias("__line"), F.col("_metadata.file_path").alias("__file")
    )
    parsed = lines.where(F.trim("__line") != "").withColumn("__raw", F.from_csv("__line", ddl, options))
    is_header = reduce(
        Column.__and__,
        [F.coalesce(F.trim(F.col("__raw").getField(name)) == name, F.lit(False)) for name in spec.names],
    )
    return parsed.where(~is_header).withColumn("__malformed", F.col("__raw.__malformed"))


def _check_values(spec: DatasetSpec, raw: DataFrame) -> DataFrame:
    """Add the typed columns, and `problem`: the first thing wrong with the row, or null."""
    width = len(spec.names)
    fields = F.size(F.split("__line", f"\\Q{spec.separator}\\E"))
    problems = [
        F.when(
            F.col("__malformed").isNotNull(),
            F.format_string(f"has %d fields, expected {width}", fields),
        )
    ]
    values = []
    for column in spec.columns:
        text = F.trim(F.col("__raw").getField(column.name))
        text = F.when(text != "", text)
        value, wrong = _typed(spec, column, text)
        values.append(value.alias(column.name))
        problems.append(wrong)
    return raw.select(*values, F.coalesce(*problems).alias("__problem"), "__line", "__file")


def _typed(spec: DatasetSpec, column: SpecColumn, text: Column) -> tuple[Column, Column]:
    shown = F.coalesce(text, F.lit(""))
    if column.role == "label":
        expected = f"expected one of {', '.join(spec.labels)}"
        wrong = F.when(
            ~F.coalesce(text.isin(*spec.labels), F.lit(False)),
            _problem(column, shown, expected),
        )
        return text, wrong
    if column.type == "string":
        return text, F.lit(None).cast("string")
    given = F.when(text != spec.missing, text)
    if column.type == "integer":
        exact = given.try_cast(EXACT)
        value = F.when(exact == F.floor(exact), exact).try_cast("bigint")
    else:
        number = given.try_cast("double")
        value = F.when(~F.isnan(number) & (F.abs(number) != float("inf")), number)
    expected = "expected an integer" if column.type == "integer" else "expected a number"
    return value, F.when(given.isNotNull() & value.isNull(), _problem(column, shown, expected))


def _problem(column: SpecColumn, shown: Column, expected: str) -> Column:
    return F.concat(F.lit(f"has {column.name} '"), shown, F.lit(f"', {expected}"))


def _describe_first(spark: SparkSession, spec: DatasetSpec, checked: DataFrame, bad: int) -> str:
    first = checked.where(F.col("__problem").isNotNull()).select("__problem", "__file", "__line").first()
    assert first is not None
    where = "a row"
    file = first["__file"]
    if first["__line"] is not None:
        # Spark gives a file's path escaped, and takes it as it is.
        file = unquote(file)
        # A file is split in order, so within one file the index is the line's number.
        numbered = spark.read.text(file).zipWithIndex("index")
        lines = (
            _check_values(spec, _raw_csv(spark, spec, file))
            .where(F.col("__problem").isNotNull())
            .select("__problem", "__line")
            .distinct()
        )
        first = numbered.join(lines, F.col("value") == F.col("__line")).orderBy("index").first()
        assert first is not None
        where = f"line {first['index'] + 1}"
    more = f" ({bad} rows are wrong in all)" if bad > 1 else ""
    return f"source {file}: {where} {first['__problem']}{more}"
