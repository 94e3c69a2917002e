"""The check of a refit by the boosting engine: Spark's model says of every row what the engine's says."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pyarrow as pa
from pyspark import RDD
from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.serializers import NoOpSerializer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from common.data.target import REGRESSION
from common.learning.vectorizer import FEATURES
from common.search.engines.boosting.rows import sparse_rows, vector_columns
from common.search.engines.boosting.spark_trees import WholeFit

# Largest difference of two margins that agree; of numbers, in units of their spread.
TOLERANCE = 1e-6
# A margin this near to zero is a tie, of which the order of summation chooses the label.
TIE = 1e-12


class RefitError(Exception):
    """Spark's model says of a row what the engine's does not: a bug in the refit."""


@dataclass(frozen=True)
class Agreement:
    """How well Spark's model and the engine's agree.

    Attributes:
        rows: Number of rows compared.
        beyond: Number of rows whose margins differ by more than TOLERANCE.
        labels: Number of rows with different labels; 0 if a number is predicted.
        largest: The largest difference of two margins, of numbers in units of their spread.
    """

    rows: int
    beyond: int
    labels: int
    largest: float

    def __add__(self, other: "Agreement") -> "Agreement":
        """Return the agreement on the rows of both."""
        largest = max(self.largest, other.largest)
        counts = (self.rows + other.rows, self.beyond + other.beyond, self.labels + other.labels)
        return Agreement(*counts, largest)


def check_refit(model: Model, fit: WholeFit, frames: Sequence[DataFrame], task: str) -> Agreement:
    """Compare Spark's model with the engine's on all rows of some frames, in one pass.

    Args:
        model: The model that Spark loaded.
        fit: The engine's model.
        frames: Rows with features.
        task: What is predicted.

    Raises:
        RefitError: They differ.
    """
    found = agreement(model, fit, frames, task)
    if found.beyond or found.labels:
        raise RefitError(
            f"of {found.rows:,} rows, Spark's model has another margin than the engine's for "
            f"{found.beyond:,}, by up to {found.largest:.1e}, and another label for {found.labels:,}"
        )
    return found


def agreement(model: Model, fit: WholeFit, frames: Sequence[DataFrame], task: str) -> Agreement:
    """Return how well Spark's model and the engine's agree; see `check_refit`."""
    of_two = vector_to_array(F.col("rawPrediction"))[1]
    margin = F.col("prediction") if task == REGRESSION else of_two
    said = [
        model.transform(frame.select(FEATURES)).select(
            margin.alias("margin"), F.col("prediction"), *vector_columns()
        )
        for frame in frames
    ]

    # The trees in Spark's terms are what is checked, so the workers need none of them.
    engine, trees = replace(fit, trees=()), len(fit.weights)

    rows = reduce(DataFrame.union, said)
    schema = to_arrow_schema(rows.schema)

    def compare(batches: Iterable[bytes]) -> Iterator[Agreement]:
        import xgboost as xgb

        from common.search.engines.boosting.whole_fit import engine_margins

        booster = xgb.Booster(model_file=bytearray(engine.booster))
        booster.set_param({"nthread": 1})
        for raw in batches:
            table = pa.Table.from_batches([pa.ipc.read_record_batch(pa.py_buffer(raw), schema)])
            if len(table):
                own = engine.middle + engine.unit * engine_margins(
                    booster, engine.cuts, sparse_rows(table)
                )
                yield _compared(table, own, engine.unit, task, trees)

    return reduce(Agreement.__add__, _arrow_batches(rows).mapPartitions(compare).collect())


def _arrow_batches(frame: DataFrame) -> RDD[bytes]:
    """Return a frame as record batches of Arrow, without their schema.

    The engine's own workers read these. Spark would run a Python function of SQL in others, which would
    first spend seconds of all cores on loading XGBoost.
    """
    java = frame._jdf.toArrowBatchRdd().toJavaRDD()
    return RDD(java, frame.sparkSession.sparkContext, NoOpSerializer())


def _compared(table: pa.Table, own: np.ndarray, unit: float, task: str, trees: int) -> Agreement:
    """Count the rows of a table that do not agree."""
    margin, prediction = table["margin"].to_numpy(), table["prediction"].to_numpy()
    apart = np.abs(margin - own)
    # Large numbers of a small spread are rounded by more than a millionth of it.
    rounding = trees * np.finfo(float).eps * np.abs(own)
    beyond = ~(apart <= TOLERANCE * unit + rounding)
    labels = np.zeros(len(own), bool)
    if task != REGRESSION:
        labels = (prediction != (own > 0)) & (np.abs(own) > TIE)
    return Agreement(len(own), int(beyond.sum()), int(labels.sum()), float(apart.max() / unit))
