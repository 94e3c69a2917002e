"""Whether the results of a run are whole, and whether its store answers at all."""

import json
from collections.abc import Iterable, Iterator, Mapping

import mlflow
from mlflow.entities import FileInfo, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import REGISTERED_MODEL_META_FILE_NAME
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository

from common.errors import first_line
from common.store import tracking
from common.store.tracking import StoreSilent

# On a run: how many files each of its results had when it finished, and of how many bytes, as JSON.
KEPT = "workflow.kept"
CUT = "files of it were removed or cut short since its run finished"
# Spark loads no model of which a file is gone, and through a server its dozens of folders take seconds.
SPARK_MODELS = ("vectorizer", "spark-model")


def note_kept(run_id: str, names: Iterable[str]) -> None:
    """Tag a run with the sizes of these artifacts, by which a later loss is seen."""
    try:
        store = _store_of(run_id)
        there = {item.path: item for item in store.list_artifacts()}
        noted = {
            name: _size(store, there[name])
            for name in names
            if name in there and name not in SPARK_MODELS
        }
    except Exception:
        # Each store raises its own library's errors, and without the sizes the run is worth no less.
        return
    mlflow.MlflowClient().set_tag(run_id, KEPT, json.dumps(noted))


def is_cut(uri: str) -> bool:
    """Tell whether files of a run's artifact were removed or cut short since the run finished.

    Args:
        uri: runs:/<run id>/<path>; nothing is known of any other.

    Raises:
        StoreSilent: The store does not answer.
    """
    run_id, _, name = uri.removeprefix("runs:/").partition("/")
    run = tracking.find_run(run_id) if uri.startswith("runs:/") else None
    if run is None or name not in _kept(run):
        return False
    try:
        store = _store_of(run_id)
        there = {item.path: item for item in store.list_artifacts()}
        return name in there and not _is_whole(store, there[name], _kept(run))
    except Exception as error:
        # Each store raises its own library's errors.
        raise _silence(run_id, error) from None


def has_artifacts(run_id: str, names: Iterable[str]) -> bool:
    """Tell whether a run has all of these artifacts: non-empty files, or folders that contain one.

    Of what the run has noted when it finished, nothing must be gone since.

    Args:
        run_id: The id of the run.
        names: The paths of the artifacts, relative to the run's artifact root.

    Raises:
        StoreSilent: The artifact store does not answer.
    """
    try:
        store, kept = _store_of(run_id), _kept(mlflow.get_run(run_id))
        folders: dict[str | None, dict[str, FileInfo]] = {}
        for name in names:
            folder = name.rpartition("/")[0] or None
            if folder not in folders:
                folders[folder] = {item.path: item for item in store.list_artifacts(folder)}
            if name not in folders[folder] or not _is_whole(store, folders[folder][name], kept):
                return False
        return True
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return False
        raise _silence(run_id, error) from None
    except Exception as error:
        # Each store raises its own library's errors; a store without the artifact raises none.
        raise _silence(run_id, error) from None


def _store_of(run_id: str) -> ArtifactRepository:
    return get_artifact_repository(RunsArtifactRepository.get_underlying_uri(f"runs:/{run_id}"))


def _kept(run: Run) -> dict[str, list[int]]:
    return dict(json.loads(run.data.tags.get(KEPT, "{}")))


def _is_whole(store: ArtifactRepository, item: FileInfo, kept: Mapping[str, list[int]]) -> bool:
    if item.path not in kept:
        return _has_content(store, item)
    # More is no loss: MLflow and Python leave files of their own in a model's folder.
    return all(now >= then for now, then in zip(_size(store, item), kept[item.path], strict=True))


def _has_content(store: ArtifactRepository, item: FileInfo) -> bool:
    if not item.is_dir:
        return item.file_size != 0
    inside = sorted(_content(store, item), key=lambda one: one.is_dir)
    return any(_has_content(store, one) for one in inside)


def _size(store: ArtifactRepository, item: FileInfo) -> tuple[int, int]:
    """Return how many files an artifact has, and of how many bytes; 0 where its store does not say."""
    if not item.is_dir:
        return 1, item.file_size or 0
    sizes = [_size(store, one) for one in _content(store, item)]
    return sum(files for files, _ in sizes), sum(size for _, size in sizes)


def _content(store: ArtifactRepository, folder: FileInfo) -> Iterator[FileInfo]:
    for one in store.list_artifacts(folder.path):
        name = one.path.rpartition("/")[2]
        # Spark's marker and checksum files can exist without the rows.
        if not name.startswith(("_", ".")) and name != REGISTERED_MODEL_META_FILE_NAME:
            yield one


def _silence(run_id: str, error: Exception) -> StoreSilent:
    return StoreSilent(f"the artifact store of run {run_id} does not answer: {first_line(error)}")
