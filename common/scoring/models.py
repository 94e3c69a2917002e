"""Conversion of fitted models to operators of a graph, with the arithmetic of Spark and XGBoost."""

from typing import Any

import numpy as np
import onnx
from pyspark.ml.classification import (
    GBTClassificationModel,
    LogisticRegressionModel,
    RandomForestClassificationModel,
)
from pyspark.ml.regression import (
    GBTRegressionModel,
    LinearRegressionModel,
    RandomForestRegressionModel,
)

from common.scoring.graph import sums_of
from common.scoring.pipeline_graph import PipelineGraph
from common.scoring.trees import (
    SOFTPROB,
    forest_of_numbers,
    gbt_forest,
    random_forest,
    xgboost_forests,
)


def gbt(model: PipelineGraph, stage: GBTClassificationModel) -> None:
    """Add a GBTClassificationModel."""
    graph = model.graph
    margin = sums_of(graph, model.features(stage), gbt_forest(stage))
    positive = graph.node("Greater", margin, graph.constant(np.array(0.0)))
    twice = graph.node("Mul", margin, graph.constant(np.array(2.0)))
    model.classify(stage, positive, graph.node("Sigmoid", twice))


def gbt_of_numbers(model: PipelineGraph, stage: GBTRegressionModel) -> None:
    """Add a GBTRegressionModel."""
    model.predict(stage, sums_of(model.graph, model.features(stage), gbt_forest(stage)))


def forest(model: PipelineGraph, stage: RandomForestClassificationModel) -> None:
    """Add a RandomForestClassificationModel, of two labels or several."""
    graph, classes = model.graph, stage.numClasses
    votes = sums_of(graph, model.features(stage), random_forest(stage))
    all_votes = graph.node("ReduceSum", votes, graph.constant(np.array([1])), keepdims=1)
    model.classify_several(stage, votes, graph.node("Div", votes, all_votes), classes)


def mean_of_trees(model: PipelineGraph, stage: RandomForestRegressionModel) -> None:
    """Add a RandomForestRegressionModel."""
    graph = model.graph
    total = sums_of(graph, model.features(stage), forest_of_numbers(stage))
    trees = graph.constant(np.array(float(stage.getNumTrees)))
    model.predict(stage, graph.node("Div", total, trees))


def logistic(model: PipelineGraph, stage: LogisticRegressionModel) -> None:
    """Add a LogisticRegressionModel, of two labels or several."""
    graph = model.graph
    weights, intercepts = stage.coefficientMatrix.toArray(), stage.interceptVector.toArray()
    margins = model.linear(stage, weights, intercepts)
    if len(weights) > 1:
        # Spark subtracts the largest margin first, as the operator does.
        shares = graph.node("Softmax", margins, axis=1)
        model.classify_several(stage, margins, shares, len(weights))
        return
    if stage.getThreshold() != 0.5:
        raise ValueError(f"LogisticRegression has threshold={stage.getThreshold()}, not 0.5")
    positive = graph.node("Greater", margins, graph.constant(np.array(0.0)))
    model.classify(stage, positive, graph.node("Sigmoid", margins))


def linear_regression(model: PipelineGraph, stage: LinearRegressionModel) -> None:
    """Add a LinearRegressionModel: a model of a number, or the weighted sum of a vote's members."""
    weights, intercept = stage.coefficients.toArray()[None, :], np.array([stage.intercept])
    model.predict(stage, model.linear(stage, weights, intercept))


def xgboost_classifier(model: PipelineGraph, stage: Any) -> None:
    """Add a SparkXGBClassifierModel, of two labels or several."""
    graph = model.graph
    objective, margins = _xgboost_margins(model, stage)
    if objective == SOFTPROB:
        shares = _rounded(model, graph.node("Softmax", _joined(model, margins), axis=1))
        model.classify_several(stage, shares, shares, len(margins))
        return
    probability = _rounded(model, graph.node("Sigmoid", _joined(model, margins)))
    half = graph.node("Greater", probability, graph.constant(np.array(0.5)))
    model.classify(stage, half, probability)


def xgboost_regressor(model: PipelineGraph, stage: Any) -> None:
    """Add a SparkXGBRegressorModel."""
    _, numbers = _xgboost_margins(model, stage)
    model.predict(stage, _joined(model, numbers))


def _xgboost_margins(model: PipelineGraph, stage: Any) -> tuple[str, list[str]]:
    """Return the booster's objective, and its margins, each a column of single precision."""
    single = model.graph.node("Cast", model.features(stage), to=onnx.TensorProto.FLOAT)
    objective, forests = xgboost_forests(stage.get_booster())
    return objective, [sums_of(model.graph, single, forest) for forest in forests]


def _joined(model: PipelineGraph, columns: list[str]) -> str:
    joined = model.graph.node("Concat", *columns, axis=1)
    return model.graph.node("Cast", joined, to=onnx.TensorProto.DOUBLE)


def _rounded(model: PipelineGraph, exact: str) -> str:
    # A booster's probability has single precision, so two that are almost equal are equal.
    rounded = model.graph.node("Cast", exact, to=onnx.TensorProto.FLOAT)
    return model.graph.node("Cast", rounded, to=onnx.TensorProto.DOUBLE)
