"""The portable model among a run's artifacts, as MLflow loads, serves and ships it."""

import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from common.datasets import DatasetSpec
from common.scoring import portable_model
from common.scoring.portable_model import PREDICTION, PROBABILITY
from common.tracking import input_schema

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
