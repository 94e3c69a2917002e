"""Log and read run artifacts."""

import re
import tempfile
from collections.abc import Mapping
from os.path import exists
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository

from common.errors import UserError, first_line
from common.machine import copies
from common.machine.text_file import read_text_file
from common.machine.user_path import user_path
from common.store.kept import files_in, has_artifacts
from common.store.locations import local_path
from common.store.moved import check_place
from common.store.opening import check_answers


def artifact_bytes(uri: str) -> int | None:
    """Return the total size of an artifact in bytes; None if its store does not report sizes."""
    try:
        place = RunsArtifactRepository.get_underlying_uri(uri) if uri.startswith("runs:/") else uri
        sizes = [file.file_size for file in files_in(get_artifact_repository(place), None)]
    except (MlflowException, OSError):
        return None
    return None if None in sizes else sum(size or 0 for size in sizes)


def resolve(uri: str) -> str:
    """Resolve a runs:/ or models:/ URI to its location in the store; return other URIs unchanged.

    Raises:
        UserError: The run or model version does not exist.
    """
    try:
        return _place(uri)
    except MlflowException as error:
        raise UserError(f"{uri!r} cannot be read: {first_line(error)}") from None


def fetch(uri: str, what: str = "artifact") -> str:
    """Return a local path of an artifact: its own if it is local, else that of a copy for this step.

    Args:
        uri: The artifact's URI.
        what: The kind of artifact, for the error message.

    Raises:
        UserError: The run or artifact does not exist.
    """
    try:
        return _fetch(uri)
    except (MlflowException, OSError) as error:
        raise UserError(f"{what} {uri!r} cannot be read: {first_line(error)}") from None


def read_text(uri: str) -> str:
    """Read a text artifact.

    Raises:
        UserError: The run or artifact does not exist.
    """
    return read_text_file(Path(fetch(uri)), f"artifact {uri!r}")


def neighbour(uri: str, name: str) -> str | None:
    """Read the text artifact of a name in the folder of another; None if there is none."""
    try:
        return read_text(uri.removesuffix(uri.rpartition("/")[2]) + name)
    except UserError:
        return None


def log_text(text: str, path: str) -> None:
    """Log text as an artifact of the active run."""
    mlflow.log_text(text, path)


def log_table(table: pd.DataFrame, path: str) -> None:
    """Log a table as a CSV artifact of the active run."""
    log_text(table.to_csv(index=False), path)


def log_files(files: Mapping[str, bytes], path: str) -> None:
    """Log files, given by name, to an artifact folder of the active run."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        mlflow.log_artifacts(folder, path)


def model_folder(uri: str) -> Path:
    """Return the local folder of a model; download it first if it is remote.

    Raises:
        UserError: The model does not exist, or has no python_function flavor to score with; or the store
            does not answer.
    """
    if uri.startswith("~"):
        uri = str(user_path(uri))
    if uri.startswith(("models:/", "runs:/")):
        check_answers()
    check_version(uri)
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


def check_version(uri: str) -> None:
    """Refuse the URI of a registered model that names none of its versions.

    MLflow takes its name for the id of a logged model.

    Raises:
        UserError: It names none.
    """
    if re.fullmatch(r"models:/+(?!m-)[^/@]+/?", uri):
        there = uri.rstrip("/")
        raise UserError(f"model {uri!r} names no version: give {there}@champion, or {there}/1")


def _fetch(uri: str) -> str:
    def download(folder: Path) -> str:
        return str(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))

    place = _place(uri)
    path = local_path(place)
    if path is None:
        return copies.copy_once(place, download)
    if not exists(path):
        # MLflow would not say which folder it looked in.
        check_place()
        raise MlflowException(f"{path} does not exist", RESOURCE_DOES_NOT_EXIST)
    # MLflow would copy what a run has on this machine, too, and leave the copy.
    return str(path.absolute())


def _place(uri: str) -> str:
    if uri.startswith("runs:/"):
        return str(RunsArtifactRepository.get_underlying_uri(uri))
    if uri.startswith("models:/"):
        return _place(ModelsArtifactRepository.get_underlying_uri(uri))
    return uri


def find_text(run_id: str, path: str) -> str | None:
    """Return a text artifact; None if the run does not have it, or no longer has it.

    Raises:
        StoreSilent: The artifact store does not answer.
    """
    return read_text(f"runs:/{run_id}/{path}") if has_artifacts(run_id, [path]) else None


def find_files(run_id: str, folder: str, pattern: str) -> dict[str, bytes]:
    """Return the files of an artifact folder by name; an empty mapping if there is no such folder.

    Args:
        run_id: The id of the run.
        folder: The folder's path, relative to the run's artifact root.
        pattern: A glob pattern for the file names, such as *.png.

    Raises:
        StoreSilent: The artifact store does not answer.
    """
    if not has_artifacts(run_id, [folder]):
        return {}
    found = Path(fetch(f"runs:/{run_id}/{folder}"))
    return {file.name: file.read_bytes() for file in sorted(found.glob(pattern))}
