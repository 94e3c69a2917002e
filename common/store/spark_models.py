"""Log Spark pipelines as MLflow models among a run's artifacts, and load them back."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_MODELS
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

from common.data.spec import DatasetSpec
from common.errors import UserError, first_and_last, first_line
from common.learning.saved_stages import remember_stages, save_pipeline
from common.machine import copies
from common.store import artifacts, logged_data, staging


def log_spark_model(
    model: PipelineModel,
    path: str,
    spec: DatasetSpec,
    outputs: Mapping[str, Any],
) -> None:
    """Log a Spark pipeline to the active run, with a signature from raw records to outputs.

    Args:
        model: The fitted pipeline.
        path: The model's path, relative to the run's artifact root.
        spec: The spec of the data set, for the input columns.
        outputs: The MLflow type of each output column, by name.

    Raises:
        UserError: On a cluster, there is no folder that both the driver and the workers can reach.
    """
    run = mlflow.active_run()
    assert run is not None, "logging a model needs an active run"
    kept = copies.new_folder() / "model"
    # log_model would first let Spark write to the store, and print a traceback where that fails.
    described = Model(artifact_path=path, run_id=run.info.run_id)
    saved = PipelineModel(model.stages)
    # MLflow calls it, and notes the class.
    vars(saved)["save"] = partial(save_pipeline, saved)
    mlflow.spark.save_model(
        saved,
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
            raise UserError(f"model {path!r} is incomplete where the driver reads it: {staging.REMEDY}")
    mlflow.log_artifacts(str(kept), path)
    # log_model sets this tag too: with it, the UI shows the folder as a model.
    mlflow.set_tag(MLFLOW_LOGGED_MODELS, json.dumps([described.get_tags_dict()]))


def load_spark_model(uri: str) -> PipelineModel:
    """Load a Spark pipeline that `log_spark_model` wrote; a Spark session must be active.

    Raises:
        UserError: There is no Spark model at the URI, or not all of it, or the workers cannot reach it.
    """
    try:
        folder = Path(artifacts.fetch(uri, "model"))
        data = folder / Model.load(str(folder)).flavors["spark"]["model_data"]
    except (MlflowException, OSError, KeyError) as error:
        raise UserError(f"model {uri!r} is not a Spark model: {first_line(error)}") from None
    # Otherwise each batch that an XGBoost model of it scores is noted.
    logging.getLogger("XGBoost-PySpark").setLevel(logging.WARNING)
    there = staging.to_workers(SparkSession.active(), data)
    try:
        pipeline = PipelineModel.load(there)
    except (Py4JJavaError, PySparkException) as error:
        why = first_and_last(error)
        raise UserError(
            f"model {uri!r} cannot be loaded: {why}; `make main use_cache=false` makes another"
        ) from None
    remember_stages(pipeline, data)
    return pipeline
