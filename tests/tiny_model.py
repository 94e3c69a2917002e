"""A portable model of three columns, written by hand and stored like those of a search."""

import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from common.data.reading import DOUBLE, INTEGER, TEXT, Form
from common.scoring import portable_model
from common.scoring.graph import Graph, place_in
from common.scoring.kept_model import write_artifacts

COLUMNS = {"age": INTEGER, "pay-rate": DOUBLE, "job": TEXT}
TYPES = {"age": DataType.long, "pay-rate": DataType.double, "job": DataType.string}
LABEL, LABELS = "promoted", ["no", "yes"]
FORM = Form(COLUMNS, layout=(*COLUMNS, LABEL), label=LABEL)


def pipeline():
    """Return ONNX: the probability is rate x age for the first job, else -1; the first job is yes."""
    graph = Graph()
    age = graph.node("Cast", graph.input("age", np.int64), to=11)
    product = graph.node("Mul", age, graph.input("pay-rate", np.float64))
    place = place_in(graph, graph.input("job", str), {"Clerk": 0}, str, other=1)
    known = graph.node("Equal", place, graph.constant(np.array([[0]])))
    value = graph.node("Where", known, product, graph.constant(np.array([[-1.0]])))
    flat = graph.constant(np.array([-1]))
    at = graph.node("Reshape", graph.node("Cast", known, to=7), flat)
    graph.output("prediction", str, graph.node("Gather", graph.constant(LABELS), at))
    graph.output("probability", np.float64, graph.node("Reshape", value, flat))
    return graph.model().SerializeToString()


def save(folder):
    """Store it below a folder; return its path."""
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=portable_model.__file__,
        artifacts=write_artifacts(folder, pipeline(), FORM),
        signature=ModelSignature(
            inputs=Schema([ColSpec(AnyType(), name) for name in COLUMNS]),
            outputs=Schema(
                [ColSpec(DataType.string, "prediction"), ColSpec(DataType.double, "probability")]
            ),
        ),
        metadata={
            "label": LABEL,
            "labels": LABELS,
            "columns": {"job": {"categories": ["Clerk"]}},
        },
        pip_requirements=["mlflow"],
    )
    return folder / "model"
