"""Rows numbered within their strata, in an order that depends only on their content."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from common.data.row_hash import COPY, HASH, quoted, row_hash, with_copies
from common.errors import UserError

# A stratum is ranked in 2^12 parts, so with 300 million rows no task sorts more than about 75 thousand.
BUCKET_BITS = 12
# The ranks of up to so many rows are sent to every task, some 100 bytes each, and the rows stay in place.
MOST_SENT = 1_000_000

# Rows of up to so many columns are ranked whole: a join would take longer.
MOST_WHOLE = 100

RANK = "__stratum_rank"
SIZE = "__stratum_size"
OWN, ROW = "__own", "__row"


def rank_in_strata(frame: DataFrame, strata: Sequence[str], seed: int | str) -> DataFrame:
    """Number the rows of each stratum from 0, ordered by a hash of their content.

    Each of several equal rows has a hash of its own. With one hash they would be neighbours, and where
    a table has few distinct rows, as of a few columns of texts, all rows of a content and label would lie
    on one side of a split: the other side would have that content with the other labels alone.

    Of a table of many columns only hashes and strata are ranked, and joined to the rows. Rows that share
    their hash with another are ranked whole: they are equal, but for one chance in 2^64.

    No large stratum is gathered in one task: its rows are counted in 2^12 ranges of the hash, and ranked
    within a range.

    Args:
        frame: The rows to number; of many columns, their hashes are cached.
        strata: Names of the columns whose combinations define the strata; null is a distinct value.
        seed: Seed of the order.

    Returns:
        The rows with SIZE (long) and RANK (long, from 0).

    Raises:
        UserError: `strata` is empty, repeats a name or names a column that `frame` does not have.
    """
    _check_strata(frame, strata)
    columns = [quoted(name) for name in frame.columns]
    keys = [quoted(name).alias(f"__key{place}") for place, name in enumerate(strata)]
    own = row_hash(frame.columns, seed)
    if len(columns) <= MOST_WHOLE:
        whole = rank_hashes(_whole(with_copies(frame, own), keys), len(keys))
        return whole.select(f"{ROW}.*", SIZE, RANK)
    rows = frame.select(*columns, own.alias(OWN))
    hashed = frame.select(*keys, own.alias(OWN)).cache()
    counted = hashed.groupBy(OWN).agg(F.count(F.lit(1)).alias("__rows"))
    shares = F.col("__rows") > 1
    repeated, total = counted.agg(F.count_if(shares), F.sum("__rows")).first() or (0, 0)
    shared = _sent(counted.where(shares).select(OWN), repeated)
    # Without equal rows, to look for them would be a pass over the whole table.
    among = rows.join(shared, OWN, "left_semi") if repeated else rows.limit(0)
    again = _whole(with_copies(among.select(*columns), own), keys)
    alone = _alone(hashed.join(shared, OWN, "left_anti"), again.schema)
    ranked = rank_hashes(alone.union(again), len(keys)).cache()
    ranks = ranked.where(F.col(ROW).isNull()).select(F.col(HASH).alias(OWN), SIZE, RANK)
    found = rows.join(_sent(ranks, total or 0), OWN).select(*columns, SIZE, RANK)
    return found.union(ranked.where(F.col(ROW).isNotNull()).select(f"{ROW}.*", SIZE, RANK))


def _whole(copies: DataFrame, keys: Sequence[Column]) -> DataFrame:
    """Return the strata, HASH and COPY of rows, and all their columns as one, ROW."""
    cells = [quoted(name) for name in copies.columns if name not in (HASH, COPY)]
    return copies.select(*keys, HASH, F.struct(*cells).alias(ROW), COPY)


def _alone(hashed: DataFrame, schema: StructType) -> DataFrame:
    """Return the strata and OWN of rows as frames of a schema have them that `_whole` returns."""
    no_row = F.lit(None).cast(schema[ROW].dataType)
    return hashed.withColumns({HASH: F.col(OWN), ROW: no_row, COPY: F.lit(0)}).select(*schema.names)


def rank_hashes(rows: DataFrame, keys: int) -> DataFrame:
    """Add SIZE and RANK to rows that have a hash, in the order of their HASH, ROW and COPY.

    Args:
        rows: Strata, HASH, ROW and COPY.
        keys: How many of the columns, the first, define the strata.

    Returns:
        HASH, ROW, SIZE (long) and RANK (long, from 0).
    """
    names = rows.columns[:keys]
    rows = rows.withColumn("__bucket", F.shiftrightunsigned(HASH, 64 - BUCKET_BITS))
    stratum = Window.partitionBy(*names)
    before = stratum.orderBy("__bucket").rowsBetween(Window.unboundedPreceding, -1)
    buckets = (
        rows.groupBy(*names, "__bucket")
        .agg(F.count(F.lit(1)).alias("__count"))
        .withColumn("__start", F.coalesce(F.sum("__count").over(before), F.lit(0)))
        .withColumn(SIZE, F.sum("__count").over(stratum))
    )
    # The right side is renamed: both sides come from one frame, so a shared name would be ambiguous.
    right = [f"__of{name}" for name in names]
    same = [F.col(name).eqNullSafe(F.col(other)) for name, other in zip(names, right, strict=True)]
    renamed = [F.col(name).alias(other) for name, other in zip(names, right, strict=True)]
    offsets = buckets.select(*renamed, F.col("__bucket").alias("__of"), "__start", SIZE)
    # Spark would estimate the rows by their different contents, and may send all of them to every task.
    offsets = offsets.hint("merge")
    within = Window.partitionBy(*names, "__bucket").orderBy(HASH, ROW, COPY)
    return (
        rows.withColumn("__within", F.row_number().over(within) - 1)
        .join(offsets, reduce(Column.__and__, same, F.col("__bucket") == F.col("__of")))
        .select(HASH, ROW, SIZE, (F.col("__start") + F.col("__within")).alias(RANK))
    )


def _sent(frame: DataFrame, rows: int) -> DataFrame:
    """Return a frame to join others to: sent to all tasks if it has few rows."""
    return frame.hint("broadcast" if rows <= MOST_SENT else "merge")


def _check_strata(frame: DataFrame, strata: Sequence[str]) -> None:
    if not strata:
        raise UserError(f"strata must name at least one column of {', '.join(frame.columns)}")
    for name in strata:
        if list(strata).count(name) > 1:
            raise UserError(f"strata names {name!r} twice")
        if name not in frame.columns:
            raise UserError(f"strata names {name!r}, which is not one of {', '.join(frame.columns)}")
