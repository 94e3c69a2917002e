"""Log a fitted pipeline: its scores, and itself as a Spark model and as a portable model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from pyspark.ml import PipelineModel

from common.data.readable import within
from common.data.target import REGRESSION
from common.learning.parameters import Parameters
from common.learning.tasks import Table, guess_scores, labels_of, scores
from common.machine.threads import beside
from common.scoring.card import Origin, model_card, stratum_scores
from common.scoring.card_input import example_records
from common.scoring.caveats import caveats
from common.scoring.export import export, vocabulary
from common.store import tracking
from common.store.logged_data import prediction_type
from common.store.portable_models import log_portable_model
from common.store.registry import NOTES
from common.store.searches import SearchData
from common.store.spark_models import log_spark_model
from common.store.step_run import Run

# What the differences of predicted numbers are parts of.
NUMBER = "the number or, if that is larger, of the numbers' standard deviation"


@dataclass(frozen=True)
class Made:
    """How a pipeline was made.

    Attributes:
        learner: The learner's name.
        parameters: The parameters that the model was fitted with.
        fitted_by: What fitted it; empty for a vote.
        importance: The importance of each column, as `column_importance` returns it, if it is known.
    """

    learner: str
    parameters: Parameters
    fitted_by: str = ""
    importance: pd.Series | None = None


def log_sides(tables: Mapping[str, Table], run_ids: Sequence[str]) -> None:
    """Log a model's scores on the training and test rows, and the score of guessing on the test rows."""
    for side, table in tables.items():
        tracking.log_scores(side, scores(table), run_ids)
    guess = guess_scores(labels_of(tables["test"]))
    tracking.log_scores("guess_test", guess, run_ids)


def log_pipeline(
    run: Run, pipeline: PipelineModel, data: SearchData, test: Table, made: Made
) -> pd.DataFrame:
    """Log a pipeline as a Spark model and as a portable model that is checked to score alike.

    Args:
        run: The run to log them to.
        pipeline: The fitted pipeline from raw records to predictions and probabilities.
        data: The data of the search; both models are compared on its test rows.
        test: The score table of the pipeline on the test rows.
        made: How it was made, for the model card and its caveats.

    Returns:
        The scores on the test rows of each stratum.

    Raises:
        ExportError: The portable model scores the test rows differently.
    """
    spec, spark = data.spec, data.test.sparkSession
    # Most of this time is Java compilation and Spark planning, which use one core each.
    scoring = beside(spark, stratum_scores, pipeline, data.test, data.train, spec)
    exporting = beside(spark, export, pipeline, spec, data.test)
    # MLflow's Spark flavor returns only the prediction, and fails if the signature has more outputs.
    log_spark_model(pipeline, "spark-model", spec, {"prediction": prediction_type(spec)})
    strata = scoring.result()
    model, found = exporting.result()
    example, known = example_records(data.test, spec), vocabulary(pipeline, spec)
    digests = {context: digest.content for context, digest in data.digests.items()}
    effective = data.folds.effective_share
    noted = caveats(spec, test, data.balance, data.repeated, made.learner, effective, made.importance)
    origin = Origin(made.learner, made.parameters, digests, made.fitted_by, noted)
    card = model_card(spec, origin, test, strata, found, example, known)
    log_portable_model(model, "portable-model", spec, known, example, card)
    if noted:
        run.tag(**{NOTES: "\n".join(noted)})
    for one in noted:
        run.tell(f"note: {one}")
    close = within(found.largest, NUMBER * (spec.target.task == REGRESSION))
    run.tell(f"portable model: matches Spark on {found.rows:,} test rows {close}")
    return strata
