"""The winner of a search as a pipeline from raw record to prediction, and what it predicts."""

from collections.abc import Sequence
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.ml import Model, PipelineModel
from pyspark.ml.common import _py2java
from pyspark.ml.feature import Binarizer, IndexToString
from pyspark.ml.functions import vector_to_array
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import LinearRegressionModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.spec import DatasetSpec
from common.data.target import REGRESSION, Target
from common.errors import UserError, first_line
from common.learning.score_table import score_table
from common.learning.tasks import Table
from common.learning.threshold import HALF
from common.learning.vectorizer import FEATURES, LABEL

PREDICTION = "prediction"
# In the pipeline PREDICTION is the label's text, so the index needs a different name.
PREDICTION_INDEX = "prediction_index"
# Columns of a pipeline with a threshold of its own.
AT_HALF, POSITIVE = "__at_half", "__positive"


def model_table(
    model: Model,
    frame: DataFrame,
    target: Target,
    rows: int | None = None,
    threshold: float = HALF,
) -> Table:
    """Count a model's predictions on vectorised rows, from which all metrics can be computed.

    Args:
        model: A classifier, or a model of a number.
        frame: Rows with features and label.
        target: What is predicted.
        rows: Number of rows, if known; see `score_table`.
        threshold: Of two labels, the probability above which the positive one is predicted.
    """
    said = model.transform(frame)
    if threshold != HALF:
        positive = F.get(vector_to_array(F.col("probability")), F.lit(1))
        said = said.withColumn(PREDICTION, (positive > threshold).cast("double"))
    return score_table(said, target, rows)


def scoring_pipeline(
    vectorizer: PipelineModel, model: Model, spec: DatasetSpec, threshold: float = HALF
) -> PipelineModel:
    """Combine vectoriser and model in one pipeline: raw record -> prediction (text) and probability.

    If a number is predicted, the prediction is a number and there is no probability.

    Args:
        vectorizer: The vectoriser, fitted on the training rows.
        model: A classifier, or a model of a number, fitted on the vectoriser's features.
        spec: The data set's spec, for the labels' text.
        threshold: Of two labels, the probability above which the positive one is predicted.
    """
    if spec.task == REGRESSION:
        return PipelineModel([*vectorizer.stages, model])
    classifier = model.copy({model.getParam("predictionCol"): PREDICTION_INDEX})
    to_text = IndexToString(inputCol=PREDICTION_INDEX, outputCol=PREDICTION, labels=list(spec.labels))
    if threshold == HALF:
        return PipelineModel([*vectorizer.stages, classifier, to_text])
    # Not every classifier has thresholds of its own.
    classifier = classifier.copy({classifier.getParam("predictionCol"): AT_HALF})
    above = Binarizer(threshold=threshold, inputCol=POSITIVE, outputCol=PREDICTION_INDEX)
    positive = weighted_sum([0.0, 1.0], "probability", POSITIVE)
    return PipelineModel([*vectorizer.stages, classifier, positive, above, to_text])


def weighted_sum(weights: Sequence[float], inputs: str, output: str) -> LinearRegressionModel:
    """Return a stage that adds up the elements of a vector with weights.

    Args:
        weights: One weight per element.
        inputs: Name of the column of vectors.
        output: Name of the column of sums.
    """
    context: Any = SparkContext._active_spark_context
    vector = _py2java(context, Vectors.dense(weights))
    java = context._jvm.org.apache.spark.ml.regression.LinearRegressionModel(output, vector, 0.0)
    return LinearRegressionModel(java)._set(featuresCol=inputs, predictionCol=output)


def threshold_of(pipeline: PipelineModel) -> float:
    """Return the probability above which a pipeline predicts the positive of two labels."""
    chosen = [stage.getThreshold() for stage in pipeline.stages if isinstance(stage, Binarizer)]
    return float(chosen[0]) if chosen else HALF


def classifier_of(pipeline: PipelineModel) -> Model:
    """Return the classifier of a scoring pipeline of labels."""
    found: Any = next(stage for stage in pipeline.stages if stage.hasParam("probabilityCol"))
    return found


def pipeline_table(pipeline: PipelineModel, frame: DataFrame, target: Target) -> Table:
    """Count the predictions of a scoring pipeline on raw rows with their LABEL.

    Raises:
        UserError: The pipeline expects other columns.
    """
    return score_table(predictions(pipeline, frame, target), target, frame.count())


def predictions(pipeline: PipelineModel, frame: DataFrame, target: Target, *keep: str) -> DataFrame:
    """Return a scoring pipeline's predictions: label, prediction and probability.

    Args:
        pipeline: The scoring pipeline.
        frame: Raw rows with their LABEL.
        target: What is predicted: of labels, the prediction is an index; a number has no probability.
        keep: Names of other columns to keep.

    Raises:
        UserError: The pipeline expects other columns.
    """
    try:
        found = pipeline.transform(frame.drop(FEATURES))
        if target.task == REGRESSION:
            return found.select(LABEL, PREDICTION, *keep)
        return found.select(LABEL, F.col(PREDICTION_INDEX).alias(PREDICTION), "probability", *keep)
    except (PySparkException, Py4JJavaError) as error:
        raise UserError(first_line(error)) from None
