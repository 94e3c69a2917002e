"""Parquet files of which some store a column as integers, as fractions or as nulls, as one table."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.records.parquet_types import FLOATS, INTEGERS, NOTHING, Stored
from common.data.row_hash import quoted
from common.machine.file_system import literal

NUMBERS: Mapping[str, T.DataType] = {
    INTEGERS: T.LongType(),
    "FLOAT": T.FloatType(),
    "DOUBLE": T.DoubleType(),
}


def read_unlike(
    spark: SparkSession, files: Sequence[str], first: T.StructType, stored: Stored
) -> DataFrame:
    """Read files that store alike together, and unite them: numbers of two kinds are fractions.

    Args:
        spark: The session.
        files: The URIs of all files.
        first: The columns of the first file, as Spark reads them.
        stored: How all files store them.
    """
    types = {name: _types(spark, name, kinds) for name, kinds in stored.kinds.items()}
    alike: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        alike.setdefault(tuple(kinds.get(file, "") for kinds in stored.kinds.values()), []).append(file)
    parts = [
        _read(spark, some, first, dict(zip(stored.kinds, kinds, strict=True)), types)
        for kinds, some in alike.items()
    ]
    return reduce(DataFrame.unionAll, parts)


def _types(spark: SparkSession, name: str, kinds: Mapping[str, str]) -> dict[str, T.DataType]:
    """Return the type in which each kind of a column is read."""
    found: dict[str, T.DataType] = {}
    for file, kind in kinds.items():
        if kind != NOTHING and kind not in found:
            own = NUMBERS.get(kind)
            found[kind] = own or spark.read.parquet(literal(file)).schema[name].dataType
    return found


def _read(
    spark: SparkSession,
    files: Sequence[str],
    first: T.StructType,
    kinds: Mapping[str, str],
    types: Mapping[str, Mapping[str, T.DataType]],
) -> DataFrame:
    """Read files that store all columns alike, with each column in the type of all files."""
    schema, columns = T.StructType(), []
    for field in first:
        name, known = field.name, types.get(field.name)
        if known is None:
            schema = schema.add(field)
            columns.append(quoted(name))
            continue
        (whole,) = known.values() if len(known) == 1 else (T.DoubleType(),)
        if kinds[name] in known:
            schema = schema.add(name, known[kinds[name]])
            columns.append(quoted(name).cast(whole).alias(name))
        else:
            columns.append(F.lit(None).cast(whole).alias(name))
    return spark.read.schema(schema).parquet(*map(literal, files)).select(*columns)


def told_of(stored: Stored, files: int) -> Iterator[str]:
    """Say of columns that some files lack, or store otherwise, how they are read.

    Args:
        stored: How the files store the columns.
        files: Number of all files.
    """
    for name, lacking in stored.lacking.items():
        yield (
            f"column {name!r} is not in {len(lacking):,} of {files:,} files, the first {lacking[0]}: "
            "their rows have no value there"
        )
    for name, kinds in stored.kinds.items():
        kind = list(kinds.values())
        whole = kind.count(INTEGERS)
        if whole and any(one in FLOATS for one in kind):
            yield (
                f"column {name!r} is stored as integers in {whole:,} of {files:,} files and as "
                "floating-point numbers in others: it is read as the latter"
            )
