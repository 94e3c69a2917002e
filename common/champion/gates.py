"""Gates: bounds that a version must meet to become champion, whatever the current champion is.

They are measured on training rows that the model was not fitted on. Test rows are never used to choose.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import mlflow
from mlflow.models import MetricThreshold
from mlflow.models.evaluation import EvaluationResult
from mlflow.models.evaluation.validation import ModelValidationFailedException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.readable import told_apart
from common.data.row_hash import quoted
from common.data.target import BINARY, TWO
from common.errors import UserError
from common.learning.metrics import EPSILON, ScoreTable, calibration_error, shown_score, sign
from common.learning.score_table import probability_vector, score_table
from common.learning.tasks import ALL_METRICS, TASKS
from common.learning.vectorizer import LABEL

# Otherwise MLflow logs the start of every validation.
logging.getLogger("mlflow.models.evaluation.validation").setLevel(logging.WARNING)

STRATUM_LOSS, CALIBRATION_ERROR = "stratum_loss", "calibration_error"
# Gates of two labels that cannot be computed from the scores of the folds.
OF_ROWS = (STRATUM_LOSS, CALIBRATION_ERROR)
NAMES = (*ALL_METRICS, *OF_ROWS)
# Digits of a measured value; more if it takes them to tell it from its bound.
DIGITS = 6


def check_gates(content: Mapping[str, Any]) -> dict[str, float]:
    """Validate gates: a bound by name.

    A metric's bound is the minimum of its mean over the folds, or of its value at the model's threshold;
    of one whose lower values are better, such as log_loss and rmse, it is the maximum. Of two labels,
    `stratum_loss` is the maximum log loss of any of the data set's strata, and `calibration_error` the
    maximum expected calibration error (metrics.calibration_error).

    Args:
        content: The gates as they were read from a file or the command line.

    Raises:
        UserError: A gate is unknown, or its bound is not a finite number.
    """
    for name, bound in content.items():
        if name not in NAMES:
            raise UserError(f"gates contains {name!r}, which is not one of {', '.join(NAMES)}")
        if (
            isinstance(bound, bool)
            or not isinstance(bound, (int, float))
            or not abs(bound) < float("inf")
        ):
            raise UserError(f"gates needs a number for {name}, got {bound!r}")
    return {name: float(bound) for name, bound in content.items()}


def check_task(gates: Mapping[str, float], task: str) -> None:
    """Refuse gates that cannot be measured on a model of this task.

    Args:
        gates: The result of `check_gates`.
        task: What the model predicts.

    Raises:
        UserError: The task does not have a gate.
    """
    known = (*TASKS[task].metrics, *(OF_ROWS if task == BINARY else ()))
    lacking = [name for name in gates if name not in known]
    if lacking:
        raise UserError(
            f"gates asks for {', '.join(lacking)}, which task {task} does not have: its gates are "
            f"{', '.join(known)}"
        )


def failed_gates(gates: Mapping[str, float], measured: Mapping[str, float]) -> str:
    """Describe the gates that a version fails.

    Args:
        gates: The result of `check_gates`.
        measured: The version's value for each gate; NaN fails.

    Returns:
        The failed gates with the measured and the required values; empty if the version passes them all.
    """
    failed = []
    for name, bound in gates.items():
        is_most = name in OF_ROWS or sign(name) < 0
        threshold = MetricThreshold(threshold=bound, greater_is_better=not is_most)
        result = EvaluationResult(metrics={name: measured[name]}, artifacts={})
        try:
            mlflow.validate_evaluation_results({name: threshold}, result)
        except ModelValidationFailedException:
            asked = f"{'at most' if is_most else 'at least'} {_given(bound)} is required"
            found, _ = told_apart([measured[name], bound], partial(shown_score, name), DIGITS)
            failed.append(f"{name} is {found}, {asked}")
    return ", ".join(failed)


def _given(bound: float) -> str:
    text = f"{bound:.10g}"
    return text if float(text) == bound else repr(bound)


def measure_rows(predictions: DataFrame, strata: Sequence[str], rows: int) -> dict[str, float]:
    """Compute stratum_loss and calibration_error of predictions, in two Spark jobs.

    Args:
        predictions: Predictions for rows that the model was not fitted on, with the label, `probability`
            of index 1 (a number), and the columns of the strata.
        strata: Names of the columns whose combinations define the strata; if empty, all rows are one
            stratum.
        rows: Number of rows.
    """
    probability: Column = F.col("probability")
    true = F.when(F.col(LABEL) == 1, probability).otherwise(1 - probability)
    loss = -F.log(F.greatest(true, F.lit(EPSILON)))
    by_stratum = predictions.groupBy(*[quoted(name) for name in strata]).agg(F.avg(loss).alias("__loss"))
    (worst,) = by_stratum.agg(F.max("__loss")).first() or (float("nan"),)
    said = predictions.select(
        LABEL,
        (probability > 0.5).cast("double").alias("prediction"),
        probability_vector(probability),
    )
    table = score_table(said, TWO, rows)
    assert isinstance(table, ScoreTable), "two labels have a table of their own"
    return {STRATUM_LOSS: float(worst), CALIBRATION_ERROR: calibration_error(table)}
