"""All that talks to MLflow's tracking: runs found, tables, texts and files kept and read back."""

import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, takewhile
from pathlib import Path
from urllib.parse import unquote, urlparse, urlsplit, urlunsplit

import mlflow
import pandas as pd
import requests
from mlflow import MlflowClient
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.entities import FileInfo, LifecycleStage, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE, ErrorCode
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository
from mlflow.tracking import is_tracking_uri_set
from mlflow.types import ColSpec, DataType, Schema
from pyspark.sql import DataFrame
from sqlalchemy.exc import InterfaceError, OperationalError

from common.data.spec import DatasetSpec
from common.errors import UserError, first_line
from common.machine import copies
from common.machine.secrets import masked

# Tags by which runs are found again.
STEP, KEY, INPUT = "workflow.step", "workflow.key", "workflow.input."
# Of a run below a search, which search that is.
SEARCH = "workflow.search"
# MLflow's own: of the run that this one is nested in.
PARENT = "mlflow.parentRunId"

# Its bar counts one small file at a time.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

# It tells of each new store's tables.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)

# It tells at length how a model's files come from the run to Spark.
logging.getLogger("mlflow.spark").setLevel(logging.WARNING)

# More runs than any store has.
ALL = 10**9

# MLflow's own bound of a tag, which it cuts without a word.
LONGEST_TAG = 8000


class StoreSilent(UserError):
    """A store did not answer, so what it holds is not known."""


def list_tags(name: str, items: Iterable[str]) -> dict[str, str]:
    """Return a list as tags: `name`, and `name.1`, `name.2`, ... where one cannot hold it; see listed."""
    parts = [""]
    for item in items:
        longer = f"{parts[-1]},{item}" if parts[-1] else item
        if len(longer) <= LONGEST_TAG:
            parts[-1] = longer
        else:
            parts.append(item)
    return {f"{name}.{place}" if place else name: part for place, part in enumerate(parts)}


def listed(tags: Mapping[str, str], name: str) -> list[str]:
    """Return the list that `list_tags` made tags of; where there is none, an empty one."""
    names = takewhile(tags.__contains__, (f"{name}.{place}" if place else name for place in count()))
    return [item for part in names for item in tags[part].split(",") if item]


def find_finished(tags: Mapping[str, str], experiment_id: str, most: int | None = 1) -> list[Run]:
    """Return the newest finished runs that have all these tags; all of them, if `most` is None."""
    return find_runs(tags, experiment_id, "FINISHED", most)


def find_runs(
    tags: Mapping[str, str], experiment_id: str, status: str, most: int | None = None
) -> list[Run]:
    """Return the newest runs of a status that have all these tags, by one indexed query a page."""
    clauses = [f"tags.`{name}` {_equals(value)}" for name, value in tags.items()]
    query = " and ".join([*clauses, f"attributes.status = '{status}'"])
    exact = not any("'" in value and '"' in value for value in tags.values())
    found = search(experiment_id, query, most if exact else None)
    return found if exact else [run for run in found if tags.items() <= run.data.tags.items()][:most]


def _equals(value: str) -> str:
    """Return the clause of a value; literals know no escapes: one with both quotes is like it."""
    if "'" in value and '"' in value:
        return "LIKE '{}'".format(value.replace("'", "_"))
    quote = '"' if "'" in value else "'"
    return f"= {quote}{value}{quote}"


def search(experiment_id: str, query: str, most: int | None = None) -> list[Run]:
    """Return the newest runs that a query of MLflow's finds, however many; at most so many, if told."""
    return list(
        mlflow.search_runs(
            [experiment_id],
            filter_string=query,
            order_by=["attributes.start_time DESC"],
            max_results=ALL if most is None else most,
            output_format="list",
        )
    )


def has_artifacts(run_id: str, names: Iterable[str]) -> bool:
    """Tell whether artifacts of a run are there: files that are not empty, folders with such a file.

    Raises:
        StoreSilent: their store does not answer.
    """
    try:
        store = get_artifact_repository(RunsArtifactRepository.get_underlying_uri(f"runs:/{run_id}"))
        folders: dict[str | None, dict[str, FileInfo]] = {}
        for name in names:
            folder = name.rpartition("/")[0] or None
            if folder not in folders:
                folders[folder] = {item.path: item for item in store.list_artifacts(folder)}
            if name not in folders[folder] or not _has_content(store, folders[folder][name]):
                return False
        return True
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return False
        raise _silence(run_id, error) from None
    except Exception as error:
        # Each store has a library, and errors, of its own; one that has nothing has no error.
        raise _silence(run_id, error) from None


def _has_content(store: ArtifactRepository, item: FileInfo) -> bool:
    if not item.is_dir:
        return item.file_size != 0
    # Spark's marks and checksums are there without the rows.
    inside = [
        one
        for one in store.list_artifacts(item.path)
        if not one.path.rpartition("/")[2].startswith(("_", "."))
    ]
    return any(_has_content(store, one) for one in sorted(inside, key=lambda one: one.is_dir))


def _silence(run_id: str, error: Exception) -> StoreSilent:
    return StoreSilent(f"the store of run {run_id}'s artifacts does not answer: {first_line(error)}")


def is_silence(error: BaseException | None) -> bool:
    """Tell whether an error of MLflow's comes from a tracking store that could not be reached."""
    while error is not None:
        if isinstance(error, (requests.RequestException, OperationalError, InterfaceError)):
            return True
        if getattr(error, "error_code", "") == ErrorCode.Name(TEMPORARILY_UNAVAILABLE):
            return True
        error = error.__cause__ or error.__context__
    return False


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
        StoreSilent: the store does not answer.
    """
    run_id = uri.removeprefix("runs:/")
    try:
        return mlflow.get_run(run_id)
    except MlflowException as error:
        if is_silence(error):
            raise StoreSilent(f"{shown_store()} does not answer: {first_line(error)}") from None
        raise UserError(f"run {run_id!r} does not exist in {shown_store()}") from None


def find_run(run_id: str) -> Run | None:
    """Return a run by its id or runs:/ URI; None, if it is deleted or no longer there.

    Raises:
        StoreSilent: the store does not answer.
    """
    try:
        run = get_run(run_id)
    except StoreSilent:
        raise
    except UserError:
        return None
    return run if run.info.lifecycle_stage == LifecycleStage.ACTIVE else None


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
    shown = text if len(text) <= LONGEST_TAG else text[:LONGEST_TAG].rpartition("\n\n")[0]
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
