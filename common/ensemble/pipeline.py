"""A vote as a pipeline of Spark's own stages: raw record -> prediction (text) and probability."""

from collections.abc import Sequence
from typing import Any

from pyspark.ml import Model, PipelineModel
from pyspark.ml.feature import Binarizer, VectorAssembler

from common.search.winner import POSITIVE, PREDICTION_INDEX, classifier_of, weighted_sum

PROBABILITIES, AGAINST = "__probabilities", "__against"


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
    *_, to_text = pipelines[0].stages
    classifier = classifier_of(pipelines[0])
    vectorizer = pipelines[0].stages[: pipelines[0].stages.index(classifier)]
    members = [member_model(classifier_of(p), place) for place, (p, _) in enumerate(voting)]
    said = [probability_column(place) for place in range(len(members))]
    return PipelineModel(
        [
            *vectorizer,
            *members,
            VectorAssembler(inputCols=said, outputCol=PROBABILITIES),
            weighted_sum([p for _, w in voting for p in (w, 0.0)], PROBABILITIES, AGAINST),
            weighted_sum([p for _, w in voting for p in (0.0, w)], PROBABILITIES, POSITIVE),
            VectorAssembler(inputCols=[AGAINST, POSITIVE], outputCol="probability"),
            Binarizer(threshold=0.5, inputCol=POSITIVE, outputCol=PREDICTION_INDEX),
            to_text,
        ]
    )
