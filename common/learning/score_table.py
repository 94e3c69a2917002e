"""The table of counts from which all metrics are computed, built in one Spark job."""

import pandas as pd
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.learning.metrics import EPSILON, ScoreTable
from common.learning.vectorizer import LABEL

# Above this many rows, probabilities are rounded so that the table of counts stays small on the driver.
# The areas under the curves are then accurate to about that precision; all other metrics are exact.
EXACT_ROWS = 2_000_000
DIGITS = 6


def probability_vector(positive: Column) -> Column:
    """Return a classifier's column `probability` (a vector of two) for the probability of index 1."""
    return array_to_vector(F.array(1 - positive, positive)).alias("probability")


def score_table(predictions: DataFrame, rows: int | None = None) -> ScoreTable:
    """Count predictions in one Spark job.

    Args:
        predictions: Rows with label, prediction and probability (a vector of two).
        rows: Number of rows, if known; above EXACT_ROWS, probabilities are rounded.
    """
    return _table(_counts(predictions, [], rows))


def score_tables(predictions: DataFrame, part: str, rows: int | None = None) -> list[ScoreTable]:
    """Count predictions by part in one Spark job.

    Args:
        predictions: Rows as for `score_table`, with a column that gives each row's part.
        part: Name of that column.
        rows: Number of rows in all parts, if known; see `score_table`.

    Returns:
        One table per part, in the order of the parts' values.
    """
    return [_table(counts) for _, counts in _counts(predictions, [part], rows).groupby(part)]


def _counts(predictions: DataFrame, by: list[str], rows: int | None) -> pd.DataFrame:
    probability = vector_to_array(F.col("probability"))
    true = F.greatest(F.get(probability, F.col(LABEL).cast("int")), F.lit(EPSILON))
    shown = F.get(probability, F.lit(1))
    if rows is not None and rows > EXACT_ROWS:
        shown = F.round(shown, DIGITS)
    counted = (
        predictions.select(*by, LABEL, "prediction", shown.alias("p"), (-F.log(true)).alias("loss"))
        .groupBy(*by, LABEL, "prediction", "p")
        .agg(F.count(F.lit(1)).alias("count"), F.sum("loss").alias("loss"))
    )
    return pd.DataFrame(counted.toPandas())


def _table(counts: pd.DataFrame) -> ScoreTable:
    return ScoreTable(*(counts[name].to_numpy() for name in (LABEL, "prediction", "p", "count", "loss")))
