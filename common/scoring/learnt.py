"""Rows to score that a model was trained on, known by what it sees of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.records import LEARNT, OWN
from common.data.repeated import LEAST_SHARE
from common.data.row_hash import hash_of, row_hash

# Of more training rows some are looked for, chosen by the hash: they are sent to every worker.
MOST_HASHES = 1_000_000
FOUND, LOOKED = "found", "looked"
# Of a file with labels whose rows cannot be compared.
UNKNOWN = (
    "whether the model has learnt some of these rows is not known: those that it was trained on are not "
    "in this store"
)


@dataclass(frozen=True)
class Training:
    """The hashes of a model's training rows.

    Attributes:
        hashes: The hashes as OWN, each once; LEARNT says that it is one.
        names: Names of the columns that were hashed.
        one_in: Of how many hashes one was kept.
    """

    hashes: DataFrame
    names: tuple[str, ...]
    one_in: int = 1

    @classmethod
    def of(cls, train: DataFrame, names: Iterable[str], most: int | None = None) -> "Training":
        """Hash training rows.

        Args:
            train: The rows, in the types of the data set.
            names: Names of the columns that the model sees.
            most: About the most hashes to keep.
        """
        one_in, names = -(-train.count() // (most or MOST_HASHES)) or 1, tuple(names)
        hashes = train.select(row_hash(names, "").alias(OWN)).where(_is_kept(one_in)).distinct()
        return cls(hashes.withColumn(LEARNT, F.lit(True)), names, one_in)

    def found_in(self, frame: DataFrame) -> DataFrame:
        """Add to each row of a frame with OWN, in their order, whether it is one of these, else null."""
        return frame.join(F.broadcast(self.hashes), OWN, "left")

    def own_hash(self, values: Mapping[str, Column]) -> Column:
        """Return the hash of a row, from its values by the columns' names."""
        return hash_of({name: values[name] for name in self.names}, "").alias(OWN)

    def counts(self, good: Column) -> list[Column]:
        """Return what to count of the rows that were scored: those found, and those looked for."""
        kept = good & _is_kept(self.one_in)
        return [F.count_if(kept & F.col(LEARNT)).alias(FOUND), F.count_if(kept).alias(LOOKED)]


def _is_kept(one_in: int) -> Column:
    return F.pmod(F.col(OWN), F.lit(one_in)) == 0


def told_of(counts: Mapping[str, int], scored: int) -> str:
    """Say how many scored rows the model may have learnt; nothing if there are few.

    Args:
        counts: The numbers that `Training.counts` counted; empty if the training rows are not known.
        scored: Number of rows that were scored.
    """
    found, looked = counts.get(FOUND, 0), counts.get(LOOKED, 0)
    if not found or 100 * found < LEAST_SHARE * looked:
        return ""
    many = f"{found:,}" if looked == scored else f"about {round(scored * found / looked):,}"
    return (
        f"the model was trained on rows equal to {many} of these {scored:,}: if they are the same, it "
        "has learnt them, and these scores are too good; those of its test rows are on its search's page"
    )
