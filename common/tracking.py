"""All that talks to MLflow's tracking: runs found, frames, tables and models kept and read back."""

import logging
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import mlflow
import pandas as pd
import psutil
from mlflow import MlflowClient
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.entities import Metric, Run, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository
from mlflow.types import ColSpec, DataType, Schema
from mlflow.utils.file_utils import local_file_uri_to_path
from pyspark.errors import PySparkException
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from common.datasets import DatasetSpec
from common.errors import UserError, first_line
from common.file_system import literal
from common.spark import file_uri

# Tags by which runs are found again.
STEP, KEY, INPUT = "workflow.step", "workflow.key", "workflow.input."
# The process that fills a run; of a run below a search, which search that is.
PROCESS, SEARCH = "workflow.process", "workflow.search"
# MLflow's own: of the run that this one is nested in.
PARENT = "mlflow.parentRunId"

# Its bar counts one small file at a time.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

# It tells of each new store's tables.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)

# It tells at length how a model's files come from the run to Spark.
logging.getLogger("mlflow.spark").setLevel(logging.WARNING)

# MLflow's own bound of a tag.
LONGEST_NOTE = 8000

# Where Spark itself can write: nothing then passes through the driver's disk.
SPARK_SCHEMES = ("file", "hdfs", "s3a", "abfss", "gs", "dbfs")


def find_finished(tags: Mapping[str, str], experiment_id: str, most: int = 1) -> list[Run]:
    """Return the newest finished runs that have all these tags, by one indexed query."""
    clauses = [f"tags.`{name}` = '{value}'" for name, value in tags.items()]
    return list(
        MlflowClient().search_runs(
            [experiment_id],
            filter_string=" and ".join([*clauses, "attributes.status = 'FINISHED'"]),
            order_by=["attributes.start_time DESC"],
            max_results=most,
        )
    )


def has_artifacts(run_id: str, names: Sequence[str]) -> bool:
    """Tell whether a run's artifacts are still where the store says."""
    try:
        found = {item.path for item in MlflowClient().list_artifacts(run_id)}
    except (MlflowException, OSError):
        return False
    return found >= set(names)


def artifact_bytes(uri: str) -> int | None:
    """Return the size of an artifact, with all that is in it; None where its store does not tell."""
    try:
        place = RunsArtifactRepository.get_underlying_uri(uri) if uri.startswith("runs:/") else uri
        sizes = list(_file_sizes(get_artifact_repository(place)))
    except (MlflowException, OSError):
        return None
    return None if None in sizes else sum(size or 0 for size in sizes)


def _file_sizes(store: ArtifactRepository, path: str | None = None) -> Iterator[int | None]:
    for item in store.list_artifacts(path):
        if item.is_dir:
            yield from _file_sizes(store, item.path)
        else:
            yield item.file_size


def get_run(uri: str) -> Run:
    """Return a run by its id or runs:/ URI.

    Raises:
        UserError: there is no such run.
    """
    run_id = uri.removeprefix("runs:/")
    try:
        return mlflow.get_run(run_id)
    except MlflowException:
        raise UserError(f"run {run_id!r} does not exist in {shown_store()}") from None


def shown_store() -> str:
    """Return the store's URI without the password that may be in it."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", mlflow.get_tracking_uri())


def log_frame(frame: DataFrame, path: str) -> None:
    """Keep a frame as Parquet under the active run's artifacts."""
    target = mlflow.get_artifact_uri(path)
    if _spark_reads(target):
        frame.write.parquet(_spark_uri(target))
        return
    with tempfile.TemporaryDirectory() as folder:
        frame.write.parquet(file_uri(Path(folder, "frame")))
        mlflow.log_artifacts(str(Path(folder, "frame")), path)


def read_frame(spark: SparkSession, uri: str) -> DataFrame:
    """Read a frame that `log_frame` kept.

    Args:
        spark: the session.
        uri: runs:/<run id>/<path>, or where Parquet is.

    Raises:
        UserError: there is no such run or artifact.
    """
    try:
        return spark.read.parquet(literal(readable_uri(uri)))
    except (MlflowException, PySparkException) as error:
        raise UserError(f"frame {uri!r} cannot be read: {first_line(error)}") from None


def readable_uri(uri: str) -> str:
    """Return where Spark reads what is at a URI; a copy on the driver, if that is not where it is.

    Args:
        uri: runs:/<run id>/<path>, another URI, or a local path.

    Raises:
        UserError: there is no such run or artifact.
    """
    try:
        is_run = uri.startswith("runs:/")
        target = RunsArtifactRepository.get_underlying_uri(uri) if is_run else uri
    except MlflowException as error:
        raise UserError(f"{uri!r} cannot be read: {first_line(error)}") from None
    return _spark_uri(target if not is_run or _spark_reads(target) else fetch(uri))


def fetch(uri: str) -> str:
    """Return the local path of an artifact, fetched first if it is not on this machine.

    Raises:
        UserError: there is no such run or artifact.
    """
    try:
        return mlflow.artifacts.download_artifacts(artifact_uri=uri)
    except (MlflowException, OSError) as error:
        raise UserError(f"artifact {uri!r} cannot be read: {first_line(error)}") from None


def read_text(uri: str) -> str:
    """Read a text artifact.

    Raises:
        UserError: there is no such run or artifact.
    """
    return Path(fetch(uri)).read_text(encoding="utf-8")


def log_text(text: str, path: str) -> None:
    """Keep text under the active run's artifacts."""
    mlflow.log_text(text, path)


def log_table(table: pd.DataFrame, path: str) -> None:
    """Keep a table as CSV under the active run's artifacts."""
    log_text(table.to_csv(index=False), path)


def log_files(files: Mapping[str, bytes], path: str) -> None:
    """Keep files, by name, in a folder under the active run's artifacts."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        mlflow.log_artifacts(folder, path)


def describe_run(text: str) -> None:
    """Have Markdown shown on the active run's page."""
    shown = text if len(text) <= LONGEST_NOTE else text[:LONGEST_NOTE].rpartition("\n\n")[0]
    mlflow.set_tag("mlflow.note.content", shown)


def log_data(frame: DataFrame, spec: DatasetSpec, uri: str, digest: str, context: str) -> None:
    """Log which data went into the active run; reads no row.

    Args:
        frame: the rows, for their schema.
        spec: the data set's, for its name.
        uri: where the rows are kept.
        digest: of the rows.
        context: training, test, ...
    """
    columns = [name for name in spec.names if name in frame.columns]
    data = MetaDataset(  # type: ignore[abstract]
        SparkDatasetSource(path=uri),
        name=spec.name,
        digest=digest,
        schema=_raw_schema(spec, columns),
    )
    mlflow.log_input(data, context=context)


def log_source(uri: str, context: str) -> None:
    """Log a file that went into the active run, by its place alone; reads no row."""
    name = uri.rstrip("/").rpartition("/")[2]
    source = SparkDatasetSource(path=uri)
    mlflow.log_input(MetaDataset(source, name=name), context=context)  # type: ignore[abstract]


def log_spark_model(
    model: PipelineModel,
    path: str,
    spec: DatasetSpec,
    outputs: Mapping[str, Any],
) -> None:
    """Keep a Spark pipeline with the signature raw record -> outputs."""
    mlflow.spark.log_model(
        model,
        artifact_path=path,
        signature=ModelSignature(
            inputs=input_schema(spec),
            outputs=Schema([ColSpec(type=kind, name=name) for name, kind in outputs.items()]),
        ),
        pip_requirements=["mlflow", "pyspark", "pandas", "numpy"],
    )


def input_schema(spec: DatasetSpec) -> Schema:
    """Return the columns of a raw record that a model takes, with their own names and types."""
    return _raw_schema(spec, [column.name for column in spec.inputs])


def load_spark_model(uri: str) -> PipelineModel:
    """Read a Spark pipeline that `log_spark_model` kept; the session must have been started.

    Raises:
        UserError: there is none.
    """
    try:
        return mlflow.spark.load_model(uri)
    except (MlflowException, OSError) as error:
        raise UserError(f"model {uri!r} cannot be read: {first_line(error)}") from None


def model_folder(uri: str) -> Path:
    """Return the folder of a model's files, fetched first if they are not on this machine.

    Raises:
        UserError: there is no such model, or none that MLflow can score with.
    """
    try:
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        how = "; `make main` registers one" if uri.startswith("models:/") else ""
        raise UserError(f"model {uri!r} cannot be read: {first_line(error).rstrip('.')}{how}") from None
    try:
        flavors = Model.load(str(folder)).flavors
    except (MlflowException, OSError):
        flavors = {}
    if "python_function" not in flavors:
        raise UserError(f"model {uri!r} has no MLmodel file with a python_function")
    return folder


def log_scores(prefix: str, scores: Mapping[str, float], run_ids: Sequence[str]) -> None:
    """Log scores as <prefix>_<metric> to some runs."""
    metrics = [Metric(f"{prefix}_{name}", value, _now(), 0) for name, value in scores.items()]
    for run_id in run_ids:
        MlflowClient().log_batch(run_id, metrics=metrics)


def mark_process(run_id: str) -> None:
    """Tag a run with the process that fills it, so that it can be told when that was killed."""
    process = psutil.Process()
    value = f"{socket.gethostname()}/{process.pid}/{process.create_time():.0f}"
    MlflowClient().set_tag(run_id, PROCESS, value)


def close_dead_runs(experiment_id: str) -> None:
    """End as KILLED the runs whose process on this machine is gone, and what is below ended searches."""
    client = MlflowClient()
    goes_on, killed = (RunStatus.to_string(s) for s in (RunStatus.RUNNING, RunStatus.KILLED))
    running = "attributes.status = 'RUNNING'"
    here = f"tags.`{PROCESS}` LIKE '{socket.gethostname()}/%'"
    for run in client.search_runs([experiment_id], f"{running} and {here}", max_results=1000):
        if not _is_alive(run.data.tags[PROCESS]):
            client.set_terminated(run.info.run_id, killed)
    # A search may have been ended before: `mlflow run` marks the run of a command that was killed.
    below = f"{running} and tags.`{SEARCH}` LIKE '%'"
    status: dict[str, str] = {}
    for run in client.search_runs([experiment_id], below, max_results=50_000):
        search = run.data.tags[SEARCH]
        if search not in status:
            status[search] = client.get_run(search).info.status
        if status[search] != goes_on:
            client.set_terminated(run.info.run_id, killed)


def _is_alive(process: str) -> bool:
    _, pid, started = process.rsplit("/", 2)
    try:
        # A process id is given again: the same start, to within rounding, makes the same process.
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except psutil.NoSuchProcess:
        return False


def _raw_schema(spec: DatasetSpec, names: Sequence[str]) -> Schema:
    kinds = {"integer": DataType.long, "double": DataType.double, "string": DataType.string}
    types = {column.name: kinds[column.type] for column in spec.columns}
    return Schema([ColSpec(type=types[name], name=name) for name in names])


def _spark_reads(uri: str) -> bool:
    return urlparse(uri).scheme in ("", *SPARK_SCHEMES)


def _spark_uri(uri: str) -> str:
    local = urlparse(uri).scheme in ("", "file")
    if uri.startswith("file:"):
        return file_uri(Path(local_file_uri_to_path(uri)))
    # MLflow would take what follows a % in a path for a character.
    return file_uri(Path(uri)) if local else uri


def _now() -> int:
    return int(time.time() * 1000)
