"""Whether the results of a run are whole, and whether its store answers at all."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

import mlflow
from mlflow.entities import FileInfo, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import REGISTERED_MODEL_META_FILE_NAME

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
        store = _store_of(mlflow.get_run(run_id))
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
        store = _store_of(run)
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
        run = mlflow.get_run(run_id)
        store, kept = _store_of(run), _kept(run)
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


def _store_of(run: Run) -> ArtifactRepository:
    return get_artifact_repository(run.info.artifact_uri)


def _kept(run: Run) -> dict[str, list[int]]:
    return dict(json.loads(run.data.tags.get(KEPT, "{}")))


def _is_whole(store: ArtifactRepository, item: FileInfo, kept: Mapping[str, list[int]]) -> bool:
    if item.path not in kept:
        return _has_content(store, item)
    # More is no loss: MLflow and Python leave files of their own in a model's folder.
    return all(now >= then for now, then in zip(_size(store, item), kept[item.path], strict=True))


def _has_content(store: ArtifactRepository, item: FileInfo) -> bool:
    return any(file.file_size != 0 for file in _content(store, item))


def _size(store: ArtifactRepository, item: FileInfo) -> tuple[int, int]:
    """Return how many files an artifact has, and of how many bytes; 0 where its store does not say."""
    sizes = [file.file_size or 0 for file in _content(store, item)]
    return len(sizes), sum(sizes)


def _content(store: ArtifactRepository, item: FileInfo) -> Iterator[FileInfo]:
    return files_in(store, item.path, _is_content) if item.is_dir else iter([item])


def _is_content(item: FileInfo) -> bool:
    name = item.path.rpartition("/")[2]
    # Spark's marker and checksum files can exist without the rows.
    return not name.startswith(("_", ".")) and name != REGISTERED_MODEL_META_FILE_NAME


def files_in(
    store: ArtifactRepository, path: str | None, chosen: Callable[[FileInfo], bool] = lambda _: True
) -> Iterator[FileInfo]:
    """Yield the files of a folder of a store, those of the folders in it last, and no other ones."""
    for item in sorted(filter(chosen, store.list_artifacts(path)), key=lambda one: bool(one.is_dir)):
        if item.is_dir:
            yield from files_in(store, item.path, chosen)
        else:
            yield item


def _silence(run_id: str, error: Exception) -> StoreSilent:
    return StoreSilent(f"the artifact store of run {run_id} does not answer: {first_line(error)}")
