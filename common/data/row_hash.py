"""A hash of a row's content; it makes splits, folds and digests independent of the partitioning."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

HASH, COPY = "__hash", "__copy"
# Equal rows are made again from their count in runs of this length.
RUN = 10_000

PLAIN = (
    *(T.NumericType, T.StringType, T.BooleanType),
    *(T.DateType, T.TimestampType, T.TimestampNTZType),
)


def quoted(name: str) -> Column:
    """Return the column with exactly this name, even if the name has dots, hyphens or backticks."""
    return F.col(quoted_name(name))


def quoted_name(name: str) -> str:
    """Return a column's name as Spark's SQL writes it, so that it may have any characters."""
    return "`" + name.replace("`", "``") + "`"


def row_hash(columns: Sequence[str], seed: int | str) -> Column:
    """Return the 64-bit hash (xxHash64) of the named columns and a seed; null is a distinct value.

    Args:
        columns: Names of the columns, in any order.
        seed: Seed of the hash; different seeds give unrelated hashes.
    """
    return hash_of({name: quoted(name) for name in columns}, seed)


def hash_of(values: Mapping[str, Column], seed: int | str) -> Column:
    """Return the same hash of values that are called otherwise where they are, by the columns' names."""
    parts = [part for name in sorted(values) for part in (values[name], values[name].isNull())]
    return F.xxhash64(F.lit(str(seed)), *parts)


def with_copies(frame: DataFrame, hashed: Column) -> DataFrame:
    """Add HASH and COPY: equal rows are numbered from 0, and each has a hash of its own.

    So rows that are chosen or ordered by HASH are drawn as if at random, though their content alone
    decides: by one hash all equal rows would be taken, or none. The first of them has `hashed`.

    Equal rows are counted and made again, so a row that occurs a hundred million times is moved as one.

    Args:
        frame: The rows, all columns of comparable types.
        hashed: A hash of all columns of the frame, 64 bits.
    """
    columns = [quoted(name) for name in frame.columns]
    counted = frame.groupBy(*columns).agg(F.count(F.lit(1)).alias("__copies")).withColumn("__own", hashed)
    # In two steps, since Spark would hold a sequence of all numbers in memory.
    last = F.col("__copies") - 1
    runs = counted.withColumn("__run", F.explode(F.sequence(F.lit(0).cast("long"), last, F.lit(RUN))))
    up_to = F.least(F.col("__run") + RUN - 1, last)
    numbered = runs.withColumn(COPY, F.explode(F.sequence("__run", up_to)))
    own = F.when(F.col(COPY) == 0, F.col("__own")).otherwise(F.xxhash64("__own", COPY))
    return numbered.select(*columns, own.alias(HASH), COPY)


def value_hash(frame: DataFrame) -> Column:
    """Return the 64-bit hash of a row's numbers, texts, booleans and times, in order."""
    plain = [quoted(one.name) for one in frame.schema if isinstance(one.dataType, PLAIN)]
    return F.xxhash64(F.lit(len(plain)), *plain)


class Digest(NamedTuple):
    """A summary of a frame's content that does not depend on the order of rows.

    Attributes:
        rows: Number of rows.
        content: Hash of the rows and the column names, 32 hex digits.
    """

    rows: int
    content: str


def frame_digest(frame: DataFrame) -> Digest:
    """Count and hash a frame's rows in one pass."""
    return frame_digests(frame, frame.columns)[0]


def frame_digests(frame: DataFrame, *choices: Sequence[str]) -> list[Digest]:
    """Count and hash a frame's rows over several choices of columns, in one pass for all of them.

    Args:
        frame: The rows.
        choices: Names of the columns that enter each digest, one sequence per digest.
    """
    totals = [F.sum(row_hash(names, "digest").cast("decimal(20,0)")) for names in choices]
    rows, *hashes = frame.agg(F.count(F.lit(1)), *totals).first() or (0, *[0 for _ in choices])
    contents = [f"{sorted(names)}:{rows}:{total}" for names, total in zip(choices, hashes, strict=True)]
    return [Digest(rows, hashlib.sha256(text.encode()).hexdigest()[:32]) for text in contents]
