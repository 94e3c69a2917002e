"""The first stage of a pipeline in a graph: numbers and categories from the columns of a record."""

import numpy as np
import onnx
from pyspark.ml.feature import SQLTransformer

from common.data.reading import NO_INTEGER, NO_NUMBER
from common.learning.prepare import (
    IS_MISSING,
    MISSING,
    Number,
    category_column,
    number_column,
    numbers_of,
    prepare,
)
from common.scoring.dates import date_part
from common.scoring.graph import Graph
from common.scoring.pipeline_graph import PipelineGraph, held


def prepare_record(model: PipelineGraph, stage: SQLTransformer) -> None:
    """Add the columns of the first stage.

    Its SQL is not parsed: it must be that of this data set, whose spec says what the columns are.
    """
    spec, found = model.spec, stage.getStatement()
    modes = [mode for mode in MISSING if prepare(spec, mode).getStatement() == found]
    if not modes:
        raise ValueError(f"SQLTransformer does not prepare records of {spec.name!r}: {found}")
    for place, number in enumerate(numbers_of(spec, modes[0])):
        value = model.inputs[number.column.name]
        model.values[number_column(place)] = _number(model.graph, value, number)
    for place, column in enumerate(spec.of_role("category")):
        name = category_column(place)
        model.values[name], model.kinds[name] = model.inputs[column.name], column.type


def _number(graph: Graph, value: str, number: Number) -> str:
    """Return a number that is derived from a column, a column of doubles; NaN if it is missing."""
    if number.part == IS_MISSING:
        return graph.node("Cast", _is_missing(graph, value, number), to=onnx.TensorProto.DOUBLE)
    found = date_part(graph, value, number.part) if number.part else value
    found = graph.node("Cast", found, to=onnx.TensorProto.DOUBLE)
    if held(number.column.type) is np.float64 or not number.column.missing:
        return found
    nothing = graph.constant(np.array(NO_NUMBER))
    return graph.node("Where", _is_missing(graph, value, number), nothing, found)


def _is_missing(graph: Graph, value: str, number: Number) -> str:
    if held(number.column.type) is np.float64:
        return graph.node("IsNaN", value)
    return graph.node("Equal", value, graph.constant(np.array(NO_INTEGER)))
