"""Conversion of a fitted Spark pipeline to an ONNX graph, stage by stage, with Spark's own arithmetic."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from pyspark.ml import PipelineModel
from pyspark.ml.classification import (
    GBTClassificationModel,
    LogisticRegressionModel,
    RandomForestClassificationModel,
)
from pyspark.ml.feature import (
    Binarizer,
    IndexToString,
    MinMaxScalerModel,
    OneHotEncoderModel,
    StringIndexerModel,
    VectorAssembler,
)
from pyspark.ml.regression import LinearRegressionModel

from common.data.reading import NO_TEXT
from common.data.spec import DatasetSpec
from common.scoring.graph import Graph, place_in, sums_of
from common.scoring.portable_model import PROBABILITY
from common.scoring.trees import gbt_forest, random_forest, xgboost_forest

KINDS = {"integer": np.int64, "double": np.float64, "string": str}


class Pipeline:
    """A graph under construction, which maps each column of the Spark pipeline to a graph value.

    Columns of numbers or vectors become matrices of doubles; indices become columns of int64.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self.graph = Graph()
        self.kinds = {column.name: KINDS[column.type] for column in spec.inputs}
        self.values = {name: self.graph.input(name, kind) for name, kind in self.kinds.items()}

    def doubles(self, column: str) -> str:
        """Cast a column to doubles and return the result."""
        return self.graph.node("Cast", self.values[column], to=onnx.TensorProto.DOUBLE)

    def classify(self, stage: Any, prediction: str, positive: str) -> None:
        """Set a classifier's output columns: its prediction and its probabilities.

        Args:
            stage: The classifier.
            prediction: The predicted label, one column of bool.
            positive: The probability of the positive label, one column of doubles.
        """
        graph = self.graph
        against = graph.node("Sub", graph.constant(np.array(1.0)), positive)
        self.values[stage.getPredictionCol()] = prediction
        self.values[stage.getProbabilityCol()] = graph.node("Concat", against, positive, axis=1)


def pipeline_model(pipeline: PipelineModel, spec: DatasetSpec) -> onnx.ModelProto:
    """Convert a scoring pipeline to ONNX.

    Args:
        pipeline: The pipeline from raw record to prediction (text) and probability, as
            `scoring_pipeline` builds it.
        spec: The data set that the records belong to.

    Returns:
        A model with one input for each input column of a record, and the outputs `prediction` and
        `probability` (of the positive label).

    Raises:
        ValueError: A stage, or one of its settings, is not supported.
    """
    model = Pipeline(spec)
    for stage in pipeline.stages:
        name = type(stage).__name__
        if name not in STAGES:
            raise ValueError(f"stage {name} cannot be written as ONNX; supported: {', '.join(STAGES)}")
        STAGES[name](model, stage)
    graph = model.graph
    graph.output("prediction", str, model.values["prediction"])
    positive = graph.node("Gather", model.values["probability"], graph.constant(np.array(1)), axis=1)
    graph.output(PROBABILITY, np.float64, positive)
    return graph.model()


def _assemble(model: Pipeline, stage: VectorAssembler) -> None:
    parts = [model.doubles(name) for name in stage.getInputCols()]
    model.values[stage.getOutputCol()] = model.graph.node("Concat", *parts, axis=1)


def _scale(model: Pipeline, stage: MinMaxScalerModel) -> None:
    graph = model.graph
    low, high = stage.getMin(), stage.getMax()
    least = stage.originalMin.toArray()
    span = stage.originalMax.toArray() - least
    # A constant column has no span: Spark maps all of it to the middle of the range.
    known = span != 0
    factor = np.divide(high - low, span, out=np.zeros_like(span), where=known)
    shift = np.where(known, low, (low + high) / 2)
    above = graph.node("Sub", model.values[stage.getInputCol()], graph.constant(least))
    scaled = graph.node("Mul", above, graph.constant(factor))
    model.values[stage.getOutputCol()] = graph.node("Add", scaled, graph.constant(shift))


def _index(model: Pipeline, stage: StringIndexerModel) -> None:
    if stage.getHandleInvalid() != "keep":
        raise ValueError(f"StringIndexer has handleInvalid={stage.getHandleInvalid()!r}, not 'keep'")
    columns = zip(stage.getInputCols(), stage.getOutputCols(), stage.labelsArray, strict=True)
    for name, output, labels in columns:
        kind = model.kinds[name]
        # Spark indexes numbers by their text.
        keys = [label if kind is str else kind(label) for label in labels]
        if NO_TEXT in keys:
            raise ValueError(f"column {name!r} has the category {NO_TEXT!r}, which is reserved for null")
        model.values[output] = place_in(model.graph, model.values[name], keys, kind)


def _encode(model: Pipeline, stage: OneHotEncoderModel) -> None:
    if stage.getDropLast():
        raise ValueError("OneHotEncoder drops the last category")
    columns = zip(stage.getInputCols(), stage.getOutputCols(), stage.categorySizes, strict=True)
    for name, output, size in columns:
        places = model.graph.constant(np.arange(size, dtype=np.int64)[None, :])
        model.values[output] = model.graph.node("Equal", model.values[name], places)


def _half(model: Pipeline, probability: str) -> str:
    return model.graph.node("Greater", probability, model.graph.constant(np.array(0.5)))


def _gbt(model: Pipeline, stage: GBTClassificationModel) -> None:
    graph = model.graph
    margin = sums_of(graph, model.values[stage.getFeaturesCol()], gbt_forest(stage))
    positive = graph.node("Greater", margin, graph.constant(np.array(0.0)))
    twice = graph.node("Mul", margin, graph.constant(np.array(2.0)))
    model.classify(stage, positive, graph.node("Sigmoid", twice))


def _random_forest(model: Pipeline, stage: RandomForestClassificationModel) -> None:
    graph = model.graph
    votes = sums_of(graph, model.values[stage.getFeaturesCol()], random_forest(stage))
    against, for_it = (
        graph.node("Gather", votes, graph.constant(np.array([label])), axis=1) for label in (0, 1)
    )
    all_votes = graph.node("Add", against, for_it)
    probability = graph.node("Div", for_it, all_votes)
    model.classify(stage, graph.node("Greater", for_it, against), probability)


def _linear(model: Pipeline, stage: LogisticRegressionModel) -> None:
    if stage.getThreshold() != 0.5:
        raise ValueError(f"LogisticRegression has threshold={stage.getThreshold()}, not 0.5")
    graph = model.graph
    weights = graph.constant(stage.coefficients.toArray()[:, None])
    product = graph.node("MatMul", model.values[stage.getFeaturesCol()], weights)
    margin = graph.node("Add", product, graph.constant(np.array(stage.intercept)))
    positive = graph.node("Greater", margin, graph.constant(np.array(0.0)))
    model.classify(stage, positive, graph.node("Sigmoid", margin))


def _xgboost(model: Pipeline, stage: Any) -> None:
    graph = model.graph
    features = model.values[stage.getOrDefault("featuresCol")]
    single = graph.node("Cast", features, to=onnx.TensorProto.FLOAT)
    margin = sums_of(graph, single, xgboost_forest(stage.get_booster()))
    exact = graph.node("Sigmoid", graph.node("Cast", margin, to=onnx.TensorProto.DOUBLE))
    # A booster's probability has single precision, so it is exactly 0.5 at a margin close to zero.
    rounded = graph.node("Cast", exact, to=onnx.TensorProto.FLOAT)
    probability = graph.node("Cast", rounded, to=onnx.TensorProto.DOUBLE)
    model.classify(stage, _half(model, probability), probability)


def _weighted_sum(model: Pipeline, stage: LinearRegressionModel) -> None:
    graph = model.graph
    weights = graph.constant(stage.coefficients.toArray()[:, None])
    product = graph.node("MatMul", model.values[stage.getFeaturesCol()], weights)
    total = graph.node("Add", product, graph.constant(np.array(stage.intercept)))
    model.values[stage.getPredictionCol()] = total


def _threshold(model: Pipeline, stage: Binarizer) -> None:
    threshold = model.graph.constant(np.array(stage.getThreshold()))
    above = model.graph.node("Greater", model.values[stage.getInputCol()], threshold)
    model.values[stage.getOutputCol()] = above


def _to_text(model: Pipeline, stage: IndexToString) -> None:
    graph = model.graph
    place = graph.node("Cast", model.values[stage.getInputCol()], to=onnx.TensorProto.INT64)
    flat = graph.node("Reshape", place, graph.constant(np.array([-1])))
    labels = graph.constant(list(stage.getLabels()))
    model.values[stage.getOutputCol()] = graph.node("Gather", labels, flat)


# Keyed by class name: importing XGBoost takes two seconds, and only its own model needs it.
STAGES: dict[str, Callable[[Pipeline, Any], None]] = {
    "VectorAssembler": _assemble,
    "MinMaxScalerModel": _scale,
    "StringIndexerModel": _index,
    "OneHotEncoderModel": _encode,
    "GBTClassificationModel": _gbt,
    "RandomForestClassificationModel": _random_forest,
    "LogisticRegressionModel": _linear,
    "SparkXGBClassifierModel": _xgboost,
    # These combine the members of a vote.
    "LinearRegressionModel": _weighted_sum,
    "Binarizer": _threshold,
    "IndexToString": _to_text,
}
