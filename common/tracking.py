"""All that talks to MLflow's tracking: runs found, tables, texts and files kept and read back."""

import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlparse, urlsplit, urlunsplit

import mlflow
import pandas as pd
import psutil
from mlflow import MlflowClient
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.entities import Metric, Run, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository
from mlflow.tracking import is_tracking_uri_set
from mlflow.types import ColSpec, DataType, Schema
from pyspark.sql import DataFrame

from common import copies
from common.datasets import DatasetSpec
from common.errors import UserError, first_line
from common.secrets import masked

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
    return masked(mlflow.get_tracking_uri())


def hide_credentials() -> None:
    """Give MLflow the user and password of a server's URI apart: it prints the URI at a run's end."""
    parts = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", unquote(parts.username or ""))
    os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", unquote(parts.password or ""))
    host = parts.netloc.rpartition("@")[2]
    os.environ["MLFLOW_TRACKING_URI"] = urlunsplit(parts._replace(netloc=host))
    # What was set in this process stands above the environment.
    if is_tracking_uri_set():
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])


def mask_tags(run: Run) -> None:
    """Take secrets out of a run's tags: MLflow keeps the URI of a Git remote with its token."""
    for name, value in run.data.tags.items():
        if masked(value) != value:
            MlflowClient().set_tag(run.info.run_id, name, masked(value))


def resolve(uri: str) -> str:
    """Return where the store has what a runs:/ or models:/ URI names; any other URI as it is.

    Raises:
        UserError: there is no such run or version.
    """
    try:
        return _place(uri)
    except MlflowException as error:
        raise UserError(f"{uri!r} cannot be read: {first_line(error)}") from None


def fetch(uri: str, what: str = "artifact") -> str:
    """Return the local path of an artifact: there, or a copy that lasts as long as the step.

    Args:
        uri: of the artifact.
        what: it is, for the message of an error.

    Raises:
        UserError: there is no such run or artifact.
    """
    try:
        return _fetch(uri)
    except (MlflowException, OSError) as error:
        raise UserError(f"{what} {uri!r} cannot be read: {first_line(error)}") from None


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


def input_schema(spec: DatasetSpec) -> Schema:
    """Return the columns of a raw record that a model takes, with their own names and types."""
    return _raw_schema(spec, [column.name for column in spec.inputs])


def model_folder(uri: str) -> Path:
    """Return the folder of a model's files, fetched first if they are not on this machine.

    Raises:
        UserError: there is no such model, or none that MLflow can score with.
    """
    try:
        folder = Path(_fetch(uri))
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


def _fetch(uri: str) -> str:
    def download(folder: Path | None = None) -> str:
        target = None if folder is None else str(folder)
        return str(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=target))

    place = _place(uri)
    local = urlparse(place).scheme in ("", "file")
    return download() if local else copies.copy_once(place, download)


def _place(uri: str) -> str:
    if uri.startswith("runs:/"):
        return str(RunsArtifactRepository.get_underlying_uri(uri))
    if uri.startswith("models:/"):
        return _place(ModelsArtifactRepository.get_underlying_uri(uri))
    return uri


def _now() -> int:
    return int(time.time() * 1000)
