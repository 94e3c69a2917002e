"""Log the portable model as an MLflow model among a run's artifacts, and find it again."""

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

from common.data.reading import TEXT, Form
from common.data.spec import DatasetSpec
from common.data.target import BINARY, Target
from common.errors import UserError, first_line
from common.scoring import portable_model
from common.scoring.kept_model import KeptModel, write_artifacts
from common.store.artifacts import check_version, fetch
from common.store.kept import CUT, is_cut
from common.store.logged_data import names_schema, output_schema

# All that the model needs to be loaded and scored.
REQUIREMENTS = ("mlflow", "onnxruntime", "pandas", "numpy")


def log_portable_model(
    model: bytes,
    path: str,
    spec: DatasetSpec,
    metadata: Mapping[str, Any],
    example: pd.DataFrame,
    card: str,
) -> None:
    """Log an ONNX pipeline to the active run as a model that needs no Spark, Java or pickles.

    Args:
        model: The serialized ONNX pipeline.
        path: The model's path, relative to the run's artifact root.
        spec: The spec of the records that the model takes.
        metadata: The task, the labels, and the categories or the range of values known for each column.
        example: A few raw records, as `example_records` returns them.
        card: The model card, stored as README.md beside the model.
    """
    run = mlflow.active_run()
    assert run is not None, "logging a model needs an active run"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "model")
        # log_model would not put it among the run's own artifacts, beside the Spark model.
        mlflow.pyfunc.save_model(
            str(whole),
            python_model=portable_model.__file__,
            artifacts=write_artifacts(Path(folder), model, spec.input_form),
            signature=ModelSignature(inputs=names_schema(spec), outputs=output_schema(spec)),
            input_example=example,
            metadata=dict(metadata),
            # The versions that the model was checked with, which are those that requirements.txt pins.
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            mlflow_model=Model(artifact_path=path, run_id=run.info.run_id),
        )
        Path(whole, "README.md").write_text(card, encoding="utf-8")
        mlflow.log_artifacts(str(whole), path)


def find_portable_model(uri: str) -> KeptModel:
    """Find a portable model by its models:/ or runs:/ URI, or by the path of its folder.

    Raises:
        UserError: The model does not exist, or is not a portable model.
    """
    check_version(uri)
    try:
        if uri.startswith("models:/"):
            # An alias can move at any time, so it is resolved to a version only once.
            name, *version = get_model_name_and_version(MlflowClient(), uri)
            uri = "/".join([f"models:/{name}", *map(str, version)])
        folder = fetch(uri, "model")
        model = Model.load(folder)
    except (MlflowException, OSError) as error:
        raise UserError(f"model {uri!r} cannot be read: {first_line(error)}") from None
    if uri.startswith(("models:/", "runs:/")) and is_cut(f"runs:/{model.run_id}/{model.artifact_path}"):
        raise UserError(f"model {uri!r} cannot be read: {CUT}; `make main` makes another")
    known = model.metadata or {}
    form = Path(folder, "artifacts", "form.json")
    if model.flavors.keys() != {mlflow.pyfunc.FLAVOR_NAME} or not form.is_file():
        flavors = ", ".join(sorted(model.flavors))
        raise UserError(
            f"model {uri!r} ({flavors}) is not a portable model, or was made by an earlier version of "
            "this project: give a version of the model that champion registers, or "
            "runs:/<run id of a search>/portable-model"
        )
    columns = known.get("columns", {})
    return KeptModel(
        uri,
        folder,
        Form.from_json(form.read_text(encoding="utf-8")),
        # A model from before there were other tasks says nothing of its own.
        Target(known.get("task", BINARY), tuple(known["labels"])),
        known.get("label_type", TEXT),
        {name: column["categories"] for name, column in columns.items() if "categories" in column},
        frozenset(name for name, column in columns.items() if column.get("capped")),
        {name: column["missing"] for name, column in columns.items() if column.get("missing")},
        model.run_id or "",
    )
