"""A pipeline's graph under construction: the columns of a record, and those that the stages add."""

from typing import Any

import numpy as np
import onnx
from pyspark.sql import types as T

from common.data.spec import TYPES, DatasetSpec
from common.scoring.graph import Graph

# How the columns of a Spark type are held in a graph; dates and times as microseconds since 1970.
HELD: dict[type[T.DataType], type] = {
    T.LongType: np.int64,
    T.DateType: np.int64,
    T.TimestampType: np.int64,
    T.DoubleType: np.float64,
    T.StringType: str,
}


class PipelineGraph:
    """A graph under construction, which maps each column of the Spark pipeline to a graph value.

    Columns of numbers or vectors become matrices of doubles; indices become columns of int64.

    Attributes:
        spec: The data set that the records belong to.
        graph: The graph.
        inputs: The graph's input for each column of a record.
        values: The graph's value for each column that the stages added.
        kinds: The type of each column of categories that the stages added, one of `spec.TYPES`.
        classes: Number of columns of the matrix of probabilities.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self.spec = spec
        self.graph = Graph()
        self.inputs = {c.name: self.graph.input(c.name, held(c.type)) for c in spec.inputs}
        self.values: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.classes = 2

    def doubles(self, column: str) -> str:
        """Cast a column to doubles and return the result."""
        return self.graph.node("Cast", self.values[column], to=onnx.TensorProto.DOUBLE)

    def features(self, stage: Any) -> str:
        """Return the matrix that a model takes."""
        return self.values[stage.getOrDefault("featuresCol")]

    def linear(self, stage: Any, weights: np.ndarray, intercepts: np.ndarray) -> str:
        """Return the margins of a linear model.

        Args:
            stage: The model.
            weights: One row of weights a margin (margins x features).
            intercepts: One intercept a margin.
        """
        product = self.graph.node("MatMul", self.features(stage), self.graph.constant(weights.T.copy()))
        return self.graph.node("Add", product, self.graph.constant(intercepts))

    def classify(self, stage: Any, prediction: str, positive: str) -> None:
        """Set the columns of a classifier of two labels: its prediction and its probabilities.

        Args:
            stage: The classifier.
            prediction: The predicted label, one column of bool.
            positive: The probability of the positive label, one column of doubles.
        """
        graph = self.graph
        against = graph.node("Sub", graph.constant(np.array(1.0)), positive)
        self.values[stage.getPredictionCol()] = prediction
        self.values[stage.getProbabilityCol()] = graph.node("Concat", against, positive, axis=1)

    def classify_several(self, stage: Any, scores: str, probabilities: str, classes: int) -> None:
        """Set the columns of a classifier of several labels; of equal scores the first wins.

        Args:
            stage: The classifier.
            scores: The matrix whose largest value in a row is the predicted label's.
            probabilities: The matrix of probabilities.
            classes: Number of columns of both.
        """
        self.values[stage.getPredictionCol()] = self.graph.node("ArgMax", scores, axis=1, keepdims=1)
        self.values[stage.getProbabilityCol()] = probabilities
        self.classes = classes

    def predict(self, stage: Any, number: str) -> None:
        """Set the column of a model of a number: its prediction, one column of doubles."""
        self.values[stage.getPredictionCol()] = number


def held(kind: str) -> type:
    """Return how a column of this type is held in a graph: np.int64, np.float64 or str."""
    return HELD[TYPES[kind]]
