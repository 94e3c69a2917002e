"""Gates: what a version must keep to be champion, whoever the present one is.

All is measured on training rows that the winner was not fitted on: test rows choose nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import mlflow
from mlflow.models import MetricThreshold
from mlflow.models.evaluation import EvaluationResult
from mlflow.models.evaluation.validation import ModelValidationFailedException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.errors import UserError
from common.learning.metrics import EPSILON, METRICS, calibration_error, sign
from common.learning.score_table import probability_vector, score_table
from common.learning.vectorizer import LABEL

# It tells of each validation that it begins.
logging.getLogger("mlflow.models.evaluation.validation").setLevel(logging.WARNING)

STRATUM_LOSS, CALIBRATION_ERROR = "stratum_loss", "calibration_error"
# Those that the folds' scores do not tell.
OF_ROWS = (STRATUM_LOSS, CALIBRATION_ERROR)
NAMES = (*METRICS, *OF_ROWS)


def check_gates(content: Mapping[str, Any]) -> dict[str, float]:
    """Check gates as they were read: a bound by name.

    A metric's bound is its least mean over the folds, log_loss's its greatest. `stratum_loss` is the
    greatest log loss that any of the data set's strata may have, `calibration_error` the greatest average
    difference of said and seen (metrics.calibration_error).

    Raises:
        UserError: there is no such gate, or its bound is no number.
    """
    for name, bound in content.items():
        if name not in NAMES:
            raise UserError(f"gates has {name!r}, which is none of {', '.join(NAMES)}")
        if (
            isinstance(bound, bool)
            or not isinstance(bound, (int, float))
            or not abs(bound) < float("inf")
        ):
            raise UserError(f"gates needs a number for {name}, got {bound!r}")
    return {name: float(bound) for name, bound in content.items()}


def failed_gates(gates: Mapping[str, float], measured: Mapping[str, float]) -> str:
    """Return which gates a version fails, by how much; nothing where it keeps all.

    Args:
        gates: of `check_gates`.
        measured: what the version has of each; what is not a number fails.
    """
    failed = []
    for name, bound in gates.items():
        is_most = name in OF_ROWS or sign(name) < 0
        threshold = MetricThreshold(threshold=bound, greater_is_better=not is_most)
        result = EvaluationResult(metrics={name: measured[name]}, artifacts={})
        try:
            mlflow.validate_evaluation_results({name: threshold}, result)
        except ModelValidationFailedException:
            asked = f"{'at most' if is_most else 'at least'} {bound:g} is asked for"
            failed.append(f"{name} is {measured[name]:.6f}, {asked}")
    return ", ".join(failed)


def measure_rows(predictions: DataFrame, strata: Sequence[str], rows: int) -> dict[str, float]:
    """Return stratum_loss and calibration_error of predictions, in two Spark jobs.

    Args:
        predictions: of rows that the model was not fitted on: label, `probability` of index 1 (a number),
            and the strata's columns.
        strata: names of the columns whose combinations are the strata; none: all rows are one.
        rows: how many there are.
    """
    probability: Column = F.col("probability")
    true = F.when(F.col(LABEL) == 1, probability).otherwise(1 - probability)
    loss = -F.log(F.greatest(true, F.lit(EPSILON)))
    by_stratum = predictions.groupBy(*[quoted(name) for name in strata]).agg(F.avg(loss).alias("__loss"))
    (worst,) = by_stratum.agg(F.max("__loss")).first() or (float("nan"),)
    table = score_table(
        predictions.select(
            LABEL,
            (probability > 0.5).cast("double").alias("prediction"),
            probability_vector(probability),
        ),
        rows,
    )
    return {STRATUM_LOSS: float(worst), CALIBRATION_ERROR: calibration_error(table)}
