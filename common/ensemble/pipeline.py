"""A vote as one Spark pipeline of Spark's own stages: raw record -> prediction (text) and probability."""

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
    """Return the column of what the member of this place says."""
    return f"__probability_{place}"


def member_model(model: Any, place: int) -> Model:
    """Return a classifier under column names of its own, so that several stand beside each other."""
    names = {
        "predictionCol": f"__prediction_{place}",
        "rawPredictionCol": f"__raw_{place}",
        "probabilityCol": probability_column(place),
    }
    renamed: Model = model.copy({model.getParam(key): name for key, name in names.items()})
    return renamed


def vote_pipeline(pipelines: Sequence[PipelineModel], weights: Sequence[float]) -> PipelineModel:
    """Join scoring pipelines to one that votes: its probability is the weighted mean of theirs.

    It is a pipeline as any other, so whatever keeps, exports or scores one does so with a vote. A
    member without weight is left out.

    Args:
        pipelines: as `scoring_pipeline` makes them, of one vectoriser and the same labels.
        weights: one a pipeline; they sum to 1.
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
    """Return the stage that adds up the members' probabilities with these weights."""
    context: Any = SparkContext._active_spark_context
    vector = _py2java(context, Vectors.dense(weights))
    java = context._jvm.org.apache.spark.ml.regression.LinearRegressionModel(column, vector, 0.0)
    return LinearRegressionModel(java)._set(featuresCol=PROBABILITIES, predictionCol=column)
