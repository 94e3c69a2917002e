"""Conversion of a fitted Spark pipeline to an ONNX graph, stage by stage, with Spark's own arithmetic."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from pyspark.ml import PipelineModel
from pyspark.ml.feature import (
    Binarizer,
    ImputerModel,
    IndexToString,
    MinMaxScalerModel,
    OneHotEncoderModel,
    StringIndexerModel,
    VectorAssembler,
)

from common.data import reading
from common.data.spec import DatasetSpec
from common.data.target import BINARY, MULTICLASS
from common.scoring import models
from common.scoring.graph import place_in
from common.scoring.outputs import outputs_of
from common.scoring.pipeline_graph import PipelineGraph, held
from common.scoring.portable_model import PREDICTION, PROBABILITY
from common.scoring.record_columns import prepare_record
from common.scoring.serving.categories import category_places


def pipeline_model(pipeline: PipelineModel, spec: DatasetSpec) -> onnx.ModelProto:
    """Convert a scoring pipeline to ONNX.

    Args:
        pipeline: The pipeline from raw record to prediction and probabilities, as `scoring_pipeline`
            builds it.
        spec: The data set that the records belong to.

    Returns:
        A model with one input for each input column of a record, and the outputs of `outputs_of`.

    Raises:
        ValueError: A stage, or one of its settings, is not supported.
    """
    model = PipelineGraph(spec)
    for stage in pipeline.stages:
        name = type(stage).__name__
        if name not in STAGES:
            raise ValueError(f"stage {name} cannot be written as ONNX; supported: {', '.join(STAGES)}")
        STAGES[name](model, stage)
    predicted, *others = outputs_of(spec.target).items()
    _output(model, *predicted, model.values[PREDICTION])
    if others:
        probabilities = _all_labels(model, model.values[PROBABILITY])
        places = [1] if spec.task == BINARY else range(spec.target.classes)
        for place, other in zip(places, others, strict=True):
            _output(model, *other, model.graph.column(probabilities, place))
    return model.graph.model()


def _output(model: PipelineGraph, name: str, kind: type, value: str) -> None:
    flat = model.graph.node("Reshape", value, model.graph.constant(np.array([-1])))
    model.graph.output(name, np.float64 if kind is float else kind, flat)


def _all_labels(model: PipelineGraph, probabilities: str) -> str:
    """Add columns of zeros for labels that no training row had, if these are the last ones."""
    lacking = model.spec.target.classes - model.classes
    if model.spec.task != MULTICLASS or lacking <= 0:
        return probabilities
    return model.graph.node("Pad", probabilities, model.graph.constant(np.array([0, 0, 0, lacking])))


def _impute(model: PipelineGraph, stage: ImputerModel) -> None:
    graph, found = model.graph, stage.surrogateDF.first()
    assert found is not None, "the medians are one row"
    for name, output in zip(stage.getInputCols(), stage.getOutputCols(), strict=True):
        median = graph.constant(np.array(float(found[name])))
        missing = graph.node("IsNaN", model.values[name])
        model.values[output] = graph.node("Where", missing, median, model.values[name])


def _assemble(model: PipelineGraph, stage: VectorAssembler) -> None:
    parts = [model.doubles(name) for name in stage.getInputCols()]
    model.values[stage.getOutputCol()] = model.graph.node("Concat", *parts, axis=1)


def _scale(model: PipelineGraph, stage: MinMaxScalerModel) -> None:
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


def _index(model: PipelineGraph, stage: StringIndexerModel) -> None:
    if stage.getHandleInvalid() != "keep":
        raise ValueError(f"StringIndexer has handleInvalid={stage.getHandleInvalid()!r}, not 'keep'")
    columns = zip(stage.getInputCols(), stage.getOutputCols(), stage.labelsArray, strict=True)
    for name, output, labels in columns:
        kind = model.kinds[name]
        places = category_places(labels, kind, reading)
        model.values[output] = place_in(model.graph, model.values[name], places, held(kind), len(labels))


def _encode(model: PipelineGraph, stage: OneHotEncoderModel) -> None:
    if stage.getDropLast():
        raise ValueError("OneHotEncoder drops the last category")
    columns = zip(stage.getInputCols(), stage.getOutputCols(), stage.categorySizes, strict=True)
    for name, output, size in columns:
        places = model.graph.constant(np.arange(size, dtype=np.int64)[None, :])
        model.values[output] = model.graph.node("Equal", model.values[name], places)


def _threshold(model: PipelineGraph, stage: Binarizer) -> None:
    threshold = model.graph.constant(np.array(stage.getThreshold()))
    above = model.graph.node("Greater", model.values[stage.getInputCol()], threshold)
    model.values[stage.getOutputCol()] = above


def _to_text(model: PipelineGraph, stage: IndexToString) -> None:
    graph = model.graph
    place = graph.node("Cast", model.values[stage.getInputCol()], to=onnx.TensorProto.INT64)
    flat = graph.node("Reshape", place, graph.constant(np.array([-1])))
    labels = graph.constant(list(stage.getLabels()))
    model.values[stage.getOutputCol()] = graph.node("Gather", labels, flat)


# Keyed by class name: importing XGBoost takes two seconds, and only its own models need it.
STAGES: dict[str, Callable[[PipelineGraph, Any], None]] = {
    "SQLTransformer": prepare_record,
    "ImputerModel": _impute,
    "VectorAssembler": _assemble,
    "MinMaxScalerModel": _scale,
    "StringIndexerModel": _index,
    "OneHotEncoderModel": _encode,
    "GBTClassificationModel": models.gbt,
    "GBTRegressionModel": models.gbt_of_numbers,
    "RandomForestClassificationModel": models.forest,
    "RandomForestRegressionModel": models.mean_of_trees,
    "LogisticRegressionModel": models.logistic,
    # A model of a number; in a vote, the weighted sum of its members.
    "LinearRegressionModel": models.linear_regression,
    "SparkXGBClassifierModel": models.xgboost_classifier,
    "SparkXGBRegressorModel": models.xgboost_regressor,
    # These end a vote, and a classifier.
    "Binarizer": _threshold,
    "IndexToString": _to_text,
}
