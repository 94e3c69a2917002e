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
    return frame_digests(frame, frame.columns)[0]


def frame_digests(frame: DataFrame, *choices: Sequence[str]) -> list[Digest]:
    """Count a frame's rows and hash what is in some of its columns. One pass for all choices.

    Args:
        frame: the rows.
        choices: names of the columns that go into each digest.
    """
    totals = [F.sum(row_hash(names, "digest").cast("decimal(20,0)")) for names in choices]
    rows, *hashes = frame.agg(F.count(F.lit(1)), *totals).first() or (0, *[0 for _ in choices])
    contents = [f"{sorted(names)}:{rows}:{total}" for names, total in zip(choices, hashes, strict=True)]
    return [Digest(rows, hashlib.sha256(text.encode()).hexdigest()[:32]) for text in contents]
