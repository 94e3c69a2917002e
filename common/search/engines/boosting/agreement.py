"""The check of a refit by the boosting engine: Spark's model says of every row what the engine's says."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce

from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.readable import bound
from common.data.target import REGRESSION
from common.learning.vectorizer import FEATURES
from common.machine.arrow_batches import arrow_batches
from common.search.engines.boosting.margins import Agreement
from common.search.engines.boosting.rows import vector_columns
from common.search.engines.boosting.spark_trees import WholeFit


class RefitError(Exception):
    """Spark's model says of a row what the engine's does not: a bug in the refit."""


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
            f"{found.beyond:,}, by up to {bound(found.largest)}, and another label for {found.labels:,}"
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
    engine = replace(fit, trees=())
    batches, schema = arrow_batches(reduce(DataFrame.union, said))

    def compared(raw: Iterable[bytes]) -> Iterator[Agreement]:
        from common.search.engines.boosting.whole_fit import compare_margins

        return compare_margins(raw, schema, engine, task)

    return reduce(Agreement.__add__, batches.mapPartitions(compared).collect())
