"""The winner of a search: refitted on all training rows, as a pipeline from raw record to label."""

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml import Model, PipelineModel
from pyspark.ml.feature import IndexToString
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.spec import DatasetSpec
from common.errors import UserError, first_line
from common.learning.learners import Learner, Parameters
from common.learning.metrics import ScoreTable
from common.learning.score_table import score_table
from common.learning.vectorizer import FEATURES, LABEL
from common.search.folds import FoldData

# In the pipeline `prediction` is the label's text, so the index needs a different name.
PREDICTION_INDEX = "prediction_index"


def refit(parameters: Parameters, learner: Learner, data: FoldData, seed: int) -> Model:
    """Fit the learner's Spark estimator on all training rows."""
    return learner.estimator(parameters, seed).fit(data.frame)


def model_table(model: Model, frame: DataFrame, rows: int | None = None) -> ScoreTable:
    """Count a model's predictions on vectorised rows, from which all METRICS can be computed.

    Args:
        model: A classifier.
        frame: Rows with features and label.
        rows: Number of rows, if known; see `score_table`.
    """
    return score_table(model.transform(frame), rows)


def scoring_pipeline(vectorizer: PipelineModel, model: Model, spec: DatasetSpec) -> PipelineModel:
    """Combine vectoriser and model in one pipeline: raw record -> prediction (text) and probability.

    Args:
        vectorizer: The vectoriser, fitted on the training rows.
        model: A classifier, fitted on the vectoriser's features.
        spec: The data set's spec, for the labels' text.
    """
    classifier = model.copy({model.getParam("predictionCol"): PREDICTION_INDEX})
    to_text = IndexToString(inputCol=PREDICTION_INDEX, outputCol="prediction", labels=list(spec.labels))
    return PipelineModel([*vectorizer.stages, classifier, to_text])


def pipeline_table(pipeline: PipelineModel, frame: DataFrame) -> ScoreTable:
    """Count the predictions of a scoring pipeline on raw rows with their `label`.

    Raises:
        UserError: The pipeline expects other columns.
    """
    return score_table(predictions(pipeline, frame), frame.count())


def predictions(pipeline: PipelineModel, frame: DataFrame, *keep: str) -> DataFrame:
    """Return a scoring pipeline's predictions: label, prediction (its index) and probability.

    Args:
        pipeline: The scoring pipeline: raw record -> prediction (text) and probability.
        frame: Raw rows with their `label`.
        keep: Names of other columns to keep.

    Raises:
        UserError: The pipeline expects other columns.
    """
    try:
        found = pipeline.transform(frame.drop(FEATURES))
        index = F.col(PREDICTION_INDEX).alias("prediction")
        return found.select(LABEL, index, "probability", *keep)
    except (PySparkException, Py4JJavaError) as error:
        raise UserError(first_line(error)) from None
