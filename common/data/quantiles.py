"""Quantiles of a number to predict, as strata: each is a range with about as many rows as any other."""

from collections.abc import Sequence
from itertools import pairwise

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.readable import MOST_SHOWN, told_apart
from common.data.row_hash import HASH, quoted, row_hash, with_copies
from common.data.spec import DatasetSpec
from common.data.target import REGRESSION

QUANTILE = "__quantile"
NUMBER, OWN = "__number", "__own_hash"
PARTS = 10
# Of more rows the bounds come from a sample of about as many, which a hash of their content chooses.
MOST_ROWS = 1_000_000


def with_quantile(
    frame: DataFrame, name: str, parts: int = PARTS, of: DataFrame | None = None
) -> DataFrame:
    """Add QUANTILE: the range, as text, that a row's number lies in.

    The bounds depend on the rows alone, not on their partitioning. Equal numbers are in one range, so
    there may be fewer ranges than `parts`.

    Args:
        frame: The rows.
        name: Name of a column of numbers without nulls.
        parts: Maximum number of ranges.
        of: The rows that are divided into ranges, if those of `frame` are only some of them.
    """
    number, rows = quoted(name).cast("double"), frame if of is None else of
    numbers = rows.select(number.alias(NUMBER), row_hash(rows.columns, "quantile").alias(OWN))
    step = -(-rows.count() // MOST_ROWS)
    if step > 1:
        numbers = with_copies(numbers, F.col(OWN)).where(F.pmod(HASH, F.lit(step)) == 0)
    shares = [part / parts for part in range(parts + 1)]
    found = numbers.agg(F.percentile(NUMBER, F.lit(shares)).alias("bounds")).first()
    bounds = (found["bounds"] if found else None) or [0.0]
    # A number that many rows have may be several bounds; above the largest there is nothing.
    inner = sorted({bound for bound in bounds[1:-1] if bound < bounds[-1]})
    names = F.array(*[F.lit(text) for text in _ranges(inner)])
    place = F.lit(0)
    for bound in inner:
        place = place + (number > bound).cast("int")
    return frame.withColumn(QUANTILE, F.get(names, place))


def _ranges(inner: Sequence[float]) -> list[str]:
    """Name the ranges between bounds so that their texts sort like their numbers."""
    digits = len(str(len(inner) + 1))
    if not inner:
        return ["all"]
    shown = told_apart(inner, _plain, 6)
    ends = [f"up to {shown[0]}"]
    ends += [f"{low} to {high}" for low, high in pairwise(shown)]
    ends.append(f"above {shown[-1]}")
    return [f"{place:0{digits}d}: {text}" for place, text in enumerate(ends, 1)]


def _plain(number: float, digits: int) -> str:
    # With an exponent, a price of seven digits would be hard to read.
    return f"{number:.0f}" if 10**digits <= abs(number) < MOST_SHOWN else f"{number:.{digits}g}"


def with_strata(
    frame: DataFrame, strata: Sequence[str], spec: DatasetSpec, of: DataFrame | None = None
) -> tuple[DataFrame, list[str]]:
    """Return a frame and the names of the columns that define its strata.

    A number to predict counts by its quantile, QUANTILE, which is added.

    Args:
        frame: The rows.
        strata: Names of columns.
        spec: The data set.
        of: The rows that the quantiles divide, if those of `frame` are only some of them.
    """
    if spec.task != REGRESSION or spec.label not in strata:
        return frame, list(strata)
    return with_quantile(frame, spec.label, of=of), [QUANTILE if n == spec.label else n for n in strata]
