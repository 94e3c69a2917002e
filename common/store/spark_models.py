"""Spark pipelines among a run's artifacts: kept as models of MLflow, and read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_MODELS
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

from common.data.spec import DatasetSpec
from common.errors import UserError, first_line
from common.machine import copies
from common.store import artifacts, logged_data, staging


def log_spark_model(
    model: PipelineModel,
    path: str,
    spec: DatasetSpec,
    outputs: Mapping[str, Any],
) -> None:
    """Keep a Spark pipeline in the active run with the signature raw record -> outputs.

    Raises:
        UserError: on a cluster there is no folder that driver and workers reach.
    """
    run = mlflow.active_run()
    assert run is not None, "a model is kept in a run"
    kept = copies.new_folder() / "model"
    # log_model would first try to have Spark write into the store, and show the trace where it cannot.
    described = Model(artifact_path=path, run_id=run.info.run_id)
    mlflow.spark.save_model(
        model,
        str(kept),
        mlflow_model=described,
        dfs_tmpdir=staging.staging_folder(SparkSession.active()),
        signature=ModelSignature(
            inputs=logged_data.input_schema(spec),
            outputs=Schema([ColSpec(type=kind, name=name) for name, kind in outputs.items()]),
        ),
        pip_requirements=["mlflow", "pyspark", "pandas", "numpy"],
    )
    for done in kept.rglob("_SUCCESS"):
        if not any(done.parent.glob("part-*")):
            raise UserError(f"model {path!r} is not whole where the driver reads it: {staging.REMEDY}")
    mlflow.log_artifacts(str(kept), path)
    # As log_model does, so that the UI shows the folder as a model.
    mlflow.set_tag(MLFLOW_LOGGED_MODELS, json.dumps([described.get_tags_dict()]))


def load_spark_model(uri: str) -> PipelineModel:
    """Read a Spark pipeline that `log_spark_model` kept; the session must have been started.

    Raises:
        UserError: there is none, or workers cannot get at it.
    """
    try:
        folder = Path(artifacts.fetch(uri, "model"))
        data = folder / Model.load(str(folder)).flavors["spark"]["model_data"]
    except (MlflowException, OSError, KeyError) as error:
        raise UserError(f"model {uri!r} is no Spark model: {first_line(error)}") from None
    return PipelineModel.load(staging.to_workers(SparkSession.active(), data))
