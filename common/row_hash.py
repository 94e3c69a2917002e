"""A hash of a row's content: the base of splits, folds and digests that no partitioning changes."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def quoted(name: str) -> Column:
    """Return the column of exactly this name, whatever dots or hyphens are in it."""
    return F.col("`" + name.replace("`", "``") + "`")


def row_hash(columns: Sequence[str], seed: int | str) -> Column:
    """64-bit hash (xxHash64) of the named columns and a seed; a null is a value of its own.

    Args:
        columns: names; their order does not matter.
        seed: another seed gives another, unrelated hash.
    """
    parts = [part for name in sorted(columns) for part in (quoted(name), quoted(name).isNull())]
    return F.xxhash64(F.lit(str(seed)), *parts)


class Digest(NamedTuple):
    """What is in a frame, whatever the order.

    Attributes:
        rows: how many.
        content: hash of the rows and the column names, 32 hex digits.
    """

    rows: int
    content: str


def frame_digest(frame: DataFrame) -> Digest:
    """Count a frame's rows and hash what is in them. One pass."""
    total = F.sum(row_hash(frame.columns, "digest").cast("decimal(20,0)"))
    rows, hashes = frame.agg(F.count(F.lit(1)), total).first() or (0, 0)
    content = f"{sorted(frame.columns)}:{rows}:{hashes}"
    return Digest(rows, hashlib.sha256(content.encode()).hexdigest()[:32])
