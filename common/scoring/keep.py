"""The portable model among a run's artifacts, as MLflow loads, serves and ships it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.store.artifact.utils.models import get_model_name_and_version
from mlflow.types import ColSpec, DataType, Schema

from common.datasets import DatasetSpec
from common.errors import UserError, first_line
from common.scoring import portable_model
from common.scoring.portable_model import PREDICTION, PROBABILITY, SIGNATURE
from common.tracking import fetch, input_schema

# All that it needs.
REQUIREMENTS = ("mlflow", "onnxruntime", "pandas", "numpy")


def log_portable_model(
    model: bytes,
    path: str,
    spec: DatasetSpec,
    metadata: Mapping[str, Any],
    example: pd.DataFrame,
    card: str,
) -> None:
    """Keep an ONNX pipeline in the active run, as a model without Spark, Java and pickles.

    Args:
        model: the pipeline.
        path: what to call it among the run's artifacts.
        spec: of the records that it takes.
        metadata: what the pipeline knows of the columns.
        example: some records.
        card: README.md of the model.
    """
    outputs = Schema([ColSpec(DataType.string, PREDICTION), ColSpec(DataType.double, PROBABILITY)])
    run = mlflow.active_run()
    assert run is not None, "a model is kept in a run"
    with tempfile.TemporaryDirectory() as folder:
        pipeline, whole = Path(folder, "pipeline.onnx"), Path(folder, "model")
        pipeline.write_bytes(model)
        # As log_model does it, but among the run's own artifacts, beside the Spark model.
        mlflow.pyfunc.save_model(
            str(whole),
            python_model=portable_model.__file__,
            artifacts={portable_model.ARTIFACT: str(pipeline)},
            signature=ModelSignature(inputs=input_schema(spec), outputs=outputs),
            input_example=example,
            metadata=dict(metadata),
            # Those that it was checked with: requirements.txt pins the same.
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            mlflow_model=Model(artifact_path=path, run_id=run.info.run_id),
        )
        Path(whole, "README.md").write_text(card, encoding="utf-8")
        mlflow.log_artifacts(str(whole), path)


@dataclass(frozen=True)
class KeptModel:
    """A portable model that was kept, found again.

    Attributes:
        uri: where; a version, where an alias was asked for.
        folder: a local copy.
        columns: names of the columns of a record in order, and the type of each.
        labels: text of both, the positive one last.
        label: name of the column that has the true label, where there is one.
        layout: names of the columns of the data set's own files, in order.
        separator: of the fields of their lines.
    """

    uri: str
    folder: str
    columns: Mapping[str, str]
    labels: tuple[str, str]
    label: str
    layout: tuple[str, ...]
    separator: str

    @property
    def version(self) -> str:
        """Version of the registered model, if it is one."""
        return self.uri.rpartition("/")[2] if self.uri.startswith("models:/") else ""


def find_portable_model(uri: str) -> KeptModel:
    """Find a portable model: by models:/ or runs:/ URI, or the path of its folder.

    Raises:
        UserError: there is none, or it is a model of another kind.
    """
    try:
        if uri.startswith("models:/"):
            # An alias may be moved at any moment: what it stands for is looked up once.
            name, version = get_model_name_and_version(MlflowClient(), uri)
            uri = f"models:/{name}/{version}"
        folder = fetch(uri, "model")
        model = Model.load(folder)
    except (MlflowException, OSError) as error:
        raise UserError(f"model {uri!r} cannot be read: {first_line(error)}") from None
    known = model.metadata or {}
    if model.flavors.keys() != {mlflow.pyfunc.FLAVOR_NAME} or "layout" not in known:
        flavors = ", ".join(sorted(model.flavors))
        raise UserError(
            f"model {uri!r} ({flavors}) is no portable model, or one of an earlier version of this "
            "project: give a version of champion's registered model, or "
            "runs:/<id of a search>/portable-model"
        )
    signature = model.signature.inputs.input_dict()
    return KeptModel(
        uri,
        folder,
        {name: SIGNATURE[column.type] for name, column in signature.items()},
        tuple(known["labels"]),
        known["label"],
        tuple(known["layout"]),
        known["separator"],
    )
