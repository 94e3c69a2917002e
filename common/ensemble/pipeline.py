"""A vote as a pipeline of Spark's own stages: raw record -> prediction (text) and probability."""

from collections.abc import Sequence
from typing import Any

from pyspark import SparkContext
from pyspark.ml import Model, PipelineModel
from pyspark.ml.common import _py2java
from pyspark.ml.feature import Binarizer, VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import LinearRegressionModel

from common.search.winner import PREDICTION_INDEX

PROBABILITIES, AGAINST, POSITIVE = "__probabilities", "__against", "__positive"


def probability_column(place: int) -> str:
    """Return the name of the column with a member's probabilities.

    Args:
        place: Index of the member.
    """
    return f"__probability_{place}"


def member_model(model: Any, place: int) -> Model:
    """Return a copy of a classifier with its own column names, so that several fit in one pipeline.

    Args:
        model: The fitted classifier.
        place: Index of the member.
    """
    names = {
        "predictionCol": f"__prediction_{place}",
        "rawPredictionCol": f"__raw_{place}",
        "probabilityCol": probability_column(place),
    }
    renamed: Model = model.copy({model.getParam(key): name for key, name in names.items()})
    return renamed


def vote_pipeline(pipelines: Sequence[PipelineModel], weights: Sequence[float]) -> PipelineModel:
    """Join scoring pipelines into one that votes: its probability is the weighted mean of theirs.

    The result is an ordinary pipeline, so it can be logged, exported and scored like any other. Members
    with zero weight are left out.

    Args:
        pipelines: Pipelines from `scoring_pipeline` that share the vectorizer and the labels.
        weights: One weight per pipeline; they sum to 1.
    """
    voting = [(p, float(w)) for p, w in zip(pipelines, weights, strict=True) if w > 0]
    *vectorizer, _, to_text = pipelines[0].stages
    members = [member_model(p.stages[-2], place) for place, (p, _) in enumerate(voting)]
    said = [probability_column(place) for place in range(len(members))]
    return PipelineModel(
        [
            *vectorizer,
            *members,
            VectorAssembler(inputCols=said, outputCol=PROBABILITIES),
            _sum([part for _, weight in voting for part in (weight, 0.0)], AGAINST),
            _sum([part for _, weight in voting for part in (0.0, weight)], POSITIVE),
            VectorAssembler(inputCols=[AGAINST, POSITIVE], outputCol="probability"),
            Binarizer(threshold=0.5, inputCol=POSITIVE, outputCol=PREDICTION_INDEX),
            to_text,
        ]
    )


def _sum(weights: Sequence[float], column: str) -> LinearRegressionModel:
    """Return a stage that computes a weighted sum of the members' probabilities.

    Args:
        weights: One weight per element of PROBABILITIES.
        column: Name of the output column.
    """
    context: Any = SparkContext._active_spark_context
    vector = _py2java(context, Vectors.dense(weights))
    java = context._jvm.org.apache.spark.ml.regression.LinearRegressionModel(column, vector, 0.0)
    return LinearRegressionModel(java)._set(featuresCol=PROBABILITIES, predictionCol=column)
