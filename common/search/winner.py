"""What a search ends with: its winner refitted on all training rows, from raw record to label."""

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml import Model, PipelineModel
from pyspark.ml.feature import IndexToString
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.spec import DatasetSpec
from common.errors import UserError, first_line
from common.learning.learners import Learner, Parameters
from common.learning.metrics import ScoreTable, scores
from common.learning.score_table import score_table
from common.learning.vectorizer import FEATURES, LABEL
from common.search.folds import FoldData

# In the pipeline `prediction` is the label's text, so the index has a name of its own.
PREDICTION_INDEX = "prediction_index"


def refit(parameters: Parameters, learner: Learner, data: FoldData, seed: int) -> Model:
    """Fit the learner's Spark estimator on the training rows of all folds."""
    return learner.estimator(parameters, seed).fit(data.frame)


def model_table(model: Model, frame: DataFrame, rows: int | None = None) -> ScoreTable:
    """Count a model's predictions on vectorised rows: all of METRICS follow from it.

    Args:
        model: a classifier.
        frame: features and label.
        rows: how many there are, when known; see score_table.
    """
    return score_table(model.transform(frame), rows)


def scoring_pipeline(vectorizer: PipelineModel, model: Model, spec: DatasetSpec) -> PipelineModel:
    """Join vectoriser and model to one pipeline: raw record -> prediction (text) and probability.

    Args:
        vectorizer: fitted on the training rows.
        model: a classifier fitted on its features.
        spec: for the labels' text.
    """
    classifier = model.copy({model.getParam("predictionCol"): PREDICTION_INDEX})
    to_text = IndexToString(inputCol=PREDICTION_INDEX, outputCol="prediction", labels=list(spec.labels))
    return PipelineModel([*vectorizer.stages, classifier, to_text])


def pipeline_scores(pipeline: PipelineModel, frame: DataFrame) -> dict[str, float]:
    """Return all of METRICS of a scoring pipeline on raw rows with their `label`; see pipeline_table."""
    return scores(pipeline_table(pipeline, frame))


def pipeline_table(pipeline: PipelineModel, frame: DataFrame) -> ScoreTable:
    """Count the predictions of a scoring pipeline on raw rows with their `label`.

    Raises:
        UserError: the pipeline was made for other columns.
    """
    return score_table(predictions(pipeline, frame), frame.count())


def predictions(pipeline: PipelineModel, frame: DataFrame, *keep: str) -> DataFrame:
    """Return what a scoring pipeline says of raw rows: label, prediction (its index) and probability.

    Args:
        pipeline: raw record -> prediction (text) and probability.
        frame: raw rows with their `label`.
        keep: names of columns that are kept beside.

    Raises:
        UserError: the pipeline was made for other columns.
    """
    try:
        found = pipeline.transform(frame.drop(FEATURES))
        index = F.col(PREDICTION_INDEX).alias("prediction")
        return found.select(LABEL, index, "probability", *keep)
    except (PySparkException, Py4JJavaError) as error:
        raise UserError(first_line(error)) from None
