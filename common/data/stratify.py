"""Exact strata: splits and folds that depend only on the rows, not on their partitioning."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.spec import DatasetSpec
from common.data.strata_rank import RANK, SIZE, rank_in_strata
from common.data.target import REGRESSION
from common.errors import UserError

# Strata that are printed; all are in the summary.
SHOWN, SHOWN_SMALL = 30, 5


@dataclass(frozen=True)
class Split:
    """The two sides of a split, and its summary: strata, train_count, test_count, test_%."""

    train: DataFrame
    test: DataFrame
    summary: pd.DataFrame

    @property
    def one_sided(self) -> list[str]:
        """The strata that are too small to have rows on both sides."""
        counts = self.summary[["train_count", "test_count"]]
        return list(self.summary.loc[(counts == 0).any(axis=1), "strata"])

    def check(self) -> None:
        """Refuse a split of which one side has no rows.

        Raises:
            UserError: One has none.
        """
        for side in ("train", "test"):
            if not self.summary[f"{side}_count"].any():
                raise UserError(
                    f"no row is left to {side}: each of the {len(self.summary):,} strata is too small to "
                    "be split by this train_ratio; split by fewer strata"
                )

    @property
    def told(self) -> str:
        """The summary as text; of many strata the first."""
        text, more = self.summary.head(SHOWN).to_string(index=False), len(self.summary) - SHOWN
        return text + (f"\n... and {_more(more)}" if more > 0 else "")

    @property
    def warnings(self) -> list[str]:
        """What to say of strata that are too small; of many the first."""
        small, more = self.one_sided[:SHOWN_SMALL], len(self.one_sided) - SHOWN_SMALL
        said = [f"stratum {stratum} is too small to have rows on both sides" for stratum in small]
        return [*said, f"so {'is' if more == 1 else 'are'} {_more(more)}"] if more > 0 else said


def _more(strata: int) -> str:
    return f"{strata:,} more strat{'um' if strata == 1 else 'a'}"


def stratify(frame: DataFrame, strata: Sequence[str], train_ratio: float, seed: int) -> Split:
    """Split rows so that exactly floor(n * train_ratio) of each stratum's n rows are training rows.

    Rows are ordered within a stratum by a hash of their content and the seed, so the same table always
    has the same sides, whatever the partitioning. Equal rows may be on both sides, as they would be if
    rows were drawn at random.

    Args:
        frame: The rows to split. All columns must be of comparable types.
        strata: Names of the columns whose combinations define the strata; null is a distinct value.
        train_ratio: Share of each stratum that goes to train, in (0, 1). It is used as the decimal number
            that it prints as: 0.29 of 100 rows is 29 rows.
        seed: Seed of the order. It changes which rows go to which side, never how many.

    Raises:
        UserError: `strata` is empty, repeats a name or names a column that `frame` does not have, or
            train_ratio is out of range.
    """
    if not 0 < train_ratio < 1:
        raise UserError(f"train_ratio must lie in (0, 1), got {train_ratio}")
    ranked = rank_in_strata(frame, strata, seed)
    columns = [quoted(name) for name in frame.columns]
    in_train = F.col(RANK) < _quota(F.col(SIZE), train_ratio)
    return Split(
        train=ranked.where(in_train).select(*columns),
        test=ranked.where(~in_train).select(*columns),
        summary=_summary(frame, strata, train_ratio),
    )


def label_rows(frame: DataFrame, spec: DatasetSpec) -> tuple[int, dict[str, int]]:
    """Count the rows of a side, and those of each label; of a number to predict there are no labels."""
    if spec.task == REGRESSION:
        return frame.count(), {}
    found = frame.groupBy(quoted(spec.label)).count().collect()
    counts = {str(row[0]): int(row[1]) for row in found}
    return sum(counts.values()), {label: counts.get(label, 0) for label in spec.labels}


def _quota(size: Column, train_ratio: float) -> Column:
    # The float 0.29 is less than 29/100; the decimal number is not.
    exact = F.lit(Decimal(repr(float(train_ratio))))
    return F.floor(size.cast("decimal(19,0)") * exact)


def _summary(frame: DataFrame, strata: Sequence[str], train_ratio: float) -> pd.DataFrame:
    shown = F.concat_ws(",", *[F.coalesce(quoted(n).cast("string"), F.lit("null")) for n in strata])
    sizes = frame.groupBy(*[quoted(name) for name in strata]).agg(F.count(F.lit(1)).alias("__n"))
    counts = sizes.select(
        shown.alias("strata"),
        _quota(F.col("__n"), train_ratio).cast("bigint").alias("train_count"),
        "__n",
    ).orderBy("strata")
    table = pd.DataFrame(counts.toPandas())
    table["test_count"] = table["__n"] - table["train_count"]
    table["test_%"] = (100 * table["test_count"] / table["__n"]).round(2)
    return table.drop(columns="__n")
