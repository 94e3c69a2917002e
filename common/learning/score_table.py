"""The table of counts from which all metrics are computed, built in one Spark job."""

import math
from collections.abc import Sequence

import pandas as pd
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.target import MULTICLASS, REGRESSION, Target
from common.learning.class_metrics import ClassTable
from common.learning.metrics import EPSILON, ScoreTable
from common.learning.number_metrics import NumberTable, number_table
from common.learning.tasks import Table
from common.learning.vectorizer import LABEL

# Above this many rows, probabilities are rounded so that the table of counts stays small on the driver.
# The areas under the curves are then accurate to about that precision; all other metrics are exact.
EXACT_ROWS = 2_000_000
DIGITS = 6
# Numbers are then told apart by cells, of which as many cover their quartiles' distance and which widen
# like a logarithm beyond it, so that outliers take few. Only the median error feels it.
CELLS = 200


def probability_vector(positive: Column) -> Column:
    """Return a classifier's column `probability` (a vector of two) for the probability of index 1."""
    return array_to_vector(F.array(1 - positive, positive)).alias("probability")


def score_table(predictions: DataFrame, target: Target, rows: int | None = None) -> Table:
    """Count predictions in one Spark job; of numbers, two.

    Args:
        predictions: Rows with label, prediction and, for labels, probability (a vector, one a label).
        target: What is predicted.
        rows: Number of rows, if known; above EXACT_ROWS, probabilities are rounded.
    """
    return _table(_counts(predictions, [], target, rows), target)


def score_tables(
    predictions: DataFrame, part: str, target: Target, rows: int | None = None
) -> list[Table]:
    """Count predictions by part in one Spark job; of numbers, two.

    Args:
        predictions: Rows as for `score_table`, with a column that gives each row's part.
        part: Name of that column.
        target: What is predicted.
        rows: Number of rows in all parts, if known; see `score_table`.

    Returns:
        One table per part, in the order of the parts' values.
    """
    counts = _counts(predictions, [part], target, rows)
    return [_table(of_part, target) for _, of_part in counts.groupby(part)]


def _counts(predictions: DataFrame, by: list[str], target: Target, rows: int | None) -> pd.DataFrame:
    rounded = rows is not None and rows > EXACT_ROWS
    if target.task == REGRESSION:
        return pd.DataFrame(_number_counts(predictions, by, rounded).toPandas())
    probability = vector_to_array(F.col("probability"))
    true = F.greatest(F.get(probability, F.col(LABEL).cast("int")), F.lit(EPSILON))
    known = predictions.select(
        *by, LABEL, "prediction", probability.alias("all"), (-F.log(true)).alias("loss")
    )
    counts = _class_counts if target.task == MULTICLASS else _label_counts
    return pd.DataFrame(counts(known, by, rounded).toPandas())


def _label_counts(known: DataFrame, by: list[str], rounded: bool) -> DataFrame:
    shown = F.get("all", F.lit(1))
    keys = [*by, LABEL, "prediction", "p"]
    counted = known.withColumn("p", F.round(shown, DIGITS) if rounded else shown).groupBy(*keys)
    return counted.agg(F.count(F.lit(1)).alias("count"), F.sum("loss").alias("loss"))


def _class_counts(known: DataFrame, by: list[str], rounded: bool) -> DataFrame:
    """Count each row once for the confusion (`of` is -1) and once for each label's own curve."""
    own = F.transform(
        F.col("all"),
        lambda p, place: F.struct(
            place.alias("of"),
            (F.round(p, DIGITS) if rounded else p).alias("p"),
            (F.col(LABEL) == place).cast("double").alias(LABEL),
            F.lit(0.0).alias("prediction"),
            F.lit(0.0).alias("loss"),
        ),
    )
    whole = F.struct(
        F.lit(-1).alias("of"), F.lit(0.0).alias("p"), F.col(LABEL), F.col("prediction"), F.col("loss")
    )
    each = known.select(*by, F.explode(F.concat(F.array(whole), own)).alias("one")).select(*by, "one.*")
    return each.groupBy(*by, "of", "p", LABEL, "prediction").agg(
        F.count(F.lit(1)).alias("count"), F.sum("loss").alias("loss")
    )


def _number_counts(predictions: DataFrame, by: list[str], rounded: bool) -> DataFrame:
    known = predictions.select(
        *by, F.col(LABEL).alias("y"), F.col("prediction").cast("double").alias("p")
    )
    if not rounded:
        return known.groupBy(*by, "y", "p").agg(F.count(F.lit(1)).alias("count"))
    quarters = F.percentile_approx("y", [0.25, 0.5, 0.75])
    # Squares are taken about the mean, since those of large numbers would cancel.
    mean, spread, found = known.agg(F.avg("y"), F.stddev_pop("y"), quarters).first() or (0.0, 0.0, None)
    assert found is not None, "so many rows have quartiles"
    apart, from_mean = F.col("y") - F.col("p"), F.col("y") - F.lit(mean)
    keys = [_cell(F.col(name), found, spread).alias(f"__{name}") for name in ("y", "p")]
    # The deviations are about the mean of all parts; `_cells_table` moves them to that of its own.
    return known.groupBy(*by, *keys).agg(
        *[F.avg(name).alias(name) for name in ("y", "p")],
        F.count(F.lit(1)).alias("count"),
        F.sum(F.abs(apart)).alias("absolute"),
        F.sum(apart**2).alias("squared"),
        F.sum(from_mean).alias("moved"),
        F.sum(from_mean**2).alias("moved_squared"),
    )


def _cell(number: Column, quarters: Sequence[float], spread: float) -> Column:
    """Return the cell of a number, given the quartiles and the standard deviation of the true ones."""
    low, middle, high = quarters
    # A power of two: the quartiles, which are approximate, move the cells hardly ever.
    width = 2.0 ** round(math.log2((high - low) or spread or 1.0))
    centre = width * round(middle / width)
    return F.floor(F.asinh((number - F.lit(centre)) / F.lit(width)) * CELLS)


def _table(counts: pd.DataFrame, target: Target) -> Table:
    if target.task == REGRESSION and "moved" in counts:
        return _cells_table(counts)
    if target.task == REGRESSION:
        return number_table(*(counts[name].to_numpy() for name in ("y", "p", "count")))
    if target.task == MULTICLASS:
        return _class_table(counts, target.classes)
    return ScoreTable(*(counts[name].to_numpy() for name in (LABEL, "prediction", "p", "count", "loss")))


def _class_table(counts: pd.DataFrame, classes: int) -> ClassTable:
    whole, own = counts[counts["of"] < 0], counts[counts["of"] >= 0]
    confusion = whole.pivot_table("count", LABEL, "prediction", aggfunc="sum", fill_value=0)
    places = range(classes)
    by_curve = own.pivot_table("count", ["of", "p"], LABEL, aggfunc="sum", fill_value=0)
    by_curve = by_curve.reindex(columns=[0.0, 1.0], fill_value=0)
    return ClassTable(
        confusion.reindex(index=places, columns=places, fill_value=0).to_numpy(float),
        float(whole["loss"].sum()),
        by_curve.index.get_level_values("of").to_numpy(),
        by_curve.index.get_level_values("p").to_numpy(),
        by_curve[1.0].to_numpy(float),
        by_curve[0.0].to_numpy(float),
    )


def _cells_table(counts: pd.DataFrame) -> NumberTable:
    label, prediction, count, absolute, squared, moved, moved_squared = (
        counts[name].to_numpy(float)
        for name in ("y", "p", "count", "absolute", "squared", "moved", "moved_squared")
    )
    # sum (y - own mean)^2 = sum (y - m)^2 - 2 d sum (y - m) + n d^2, where d is own mean - m.
    away = moved.sum() / count.sum()
    spread = moved_squared - 2 * away * moved + count * away**2
    return NumberTable(label, prediction, count, absolute, squared, spread)
