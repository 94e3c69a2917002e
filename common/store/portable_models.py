"""The portable model among a run's artifacts, as MLflow loads, serves and ships it."""

import tempfile
from collections.abc import Mapping
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

from common.data.reading import Form
from common.data.spec import DatasetSpec
from common.errors import UserError, first_line
from common.scoring import portable_model
from common.scoring.kept_model import KeptModel, write_artifacts
from common.scoring.portable_model import PREDICTION, PROBABILITY
from common.store.artifacts import fetch
from common.store.logged_data import input_schema

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
        whole = Path(folder, "model")
        # As log_model does it, but among the run's own artifacts, beside the Spark model.
        mlflow.pyfunc.save_model(
            str(whole),
            python_model=portable_model.__file__,
            artifacts=write_artifacts(Path(folder), model, spec.input_form),
            signature=ModelSignature(inputs=input_schema(spec), outputs=outputs),
            input_example=example,
            metadata=dict(metadata),
            # Those that it was checked with: requirements.txt pins the same.
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            mlflow_model=Model(artifact_path=path, run_id=run.info.run_id),
        )
        Path(whole, "README.md").write_text(card, encoding="utf-8")
        mlflow.log_artifacts(str(whole), path)


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
    form = Path(folder, "artifacts", "form.json")
    if model.flavors.keys() != {mlflow.pyfunc.FLAVOR_NAME} or not form.is_file():
        flavors = ", ".join(sorted(model.flavors))
        raise UserError(
            f"model {uri!r} ({flavors}) is no portable model, or one of an earlier version of this "
            "project: give a version of champion's registered model, or "
            "runs:/<id of a search>/portable-model"
        )
    columns = known.get("columns", {})
    return KeptModel(
        uri,
        folder,
        Form.from_json(form.read_text(encoding="utf-8")),
        tuple(known["labels"]),
        {name: column["categories"] for name, column in columns.items() if "categories" in column},
    )
