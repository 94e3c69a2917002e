"""Rows that a table has more than once: of them some may be on both sides of a split."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import HASH, row_hash

# In a hundred: fewer change no score that is shown.
LEAST_SHARE = 1


@dataclass(frozen=True)
class Repeated:
    """How many rows of a table have an equal one.

    Attributes:
        rows: Number of these rows.
        of: Number of all rows.
    """

    rows: int
    of: int

    @classmethod
    def among(cls, frame: DataFrame, names: Sequence[str]) -> "Repeated":
        """Count the rows that have an equal one, by a hash.

        Args:
            frame: The rows.
            names: Names of the columns that count: a row's inputs and its label.
        """
        counted = frame.groupBy(row_hash(names, "repeated").alias(HASH)).agg(F.count("*").alias("__n"))
        repeated = F.sum(F.when(F.col("__n") > 1, F.col("__n")).otherwise(0))
        found = counted.agg(repeated, F.sum("__n")).first() or (0, 0)
        return cls(int(found[0] or 0), int(found[1] or 0))

    @property
    def is_worth_telling(self) -> bool:
        """Whether there are so many that scores may depend on them."""
        return 100 * self.rows >= LEAST_SHARE * max(self.of, 1)

    def __str__(self) -> str:
        return (
            f"{self.rows:,} of {self.of:,} rows have an equal one, so rows may be scored by a model that "
            "has learnt them: if the source repeats rows by mistake, scores are too good, so leave the "
            "repeated ones out"
        )
