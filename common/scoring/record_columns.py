"""The first stage of a pipeline in a graph: numbers and categories from the columns of a record."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import types as T

from common.data.reading import NO_INTEGER, NO_NUMBER, NO_TEXT
from common.data.spec import TYPES
from common.learning.prepare import (
    IS_MISSING,
    MISSING,
    MISSING_TEXT,
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


def category_places(labels: Sequence[str], kind: str) -> dict[Any, int]:
    """Return the index of each value whose text, as Spark writes it, is one of these categories.

    Args:
        labels: The categories in the order of their indices; MISSING_TEXT stands for a missing value.
        kind: The column's type, one of `spec.TYPES`.
    """
    nothing = {str: NO_TEXT, np.int64: NO_INTEGER, np.float64: NO_NUMBER}[held(kind)]
    places = {_value(text, kind): place for place, text in enumerate(labels) if text != MISSING_TEXT}
    if MISSING_TEXT in labels:
        places[nothing] = labels.index(MISSING_TEXT)
        if held(kind) is str:
            # To Spark, this text and a missing one are the same category.
            places[MISSING_TEXT] = places[nothing]
    return places


def _value(text: str, kind: str) -> Any:
    if TYPES[kind] in (T.DateType, T.TimestampType):
        return int(np.datetime64(text, "us").astype(np.int64))
    return {str: str, np.int64: int, np.float64: float}[held(kind)](text)
