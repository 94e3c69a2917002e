"""Create the tables of an empty tracking store from one process at a time, and name its experiment.

If two processes open an empty database at once, MLflow lets one break the other's tables.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlparse

import mlflow
from mlflow import MlflowClient
from mlflow.environment_variables import MLFLOW_ALLOW_FILE_STORE
from mlflow.exceptions import MlflowException
from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException
from mlflow.utils.file_utils import ExclusiveFileLock
from sqlalchemy import make_url

from common import PROJECT, ROOT
from common.errors import UserError, first_line
from common.machine.ending import end_soon
from common.machine.secrets import masked
from common.machine.whole_file import can_be_written, whole_file
from common.store import tracking
from common.store.experiment import adopt_default, check_named
from common.store.moved import check_place


def open_store() -> None:
    """Create the tables of an empty store, or wait while another process on this machine does.

    Raises:
        UserError: The store is a folder, which MLflow refuses by default, or was moved or copied here; or
            MLflow is in a folder with a %.
    """
    uri = mlflow.get_tracking_uri()
    if urlparse(uri).scheme in ("", "file") and not MLFLOW_ALLOW_FILE_STORE.get():
        raise UserError(
            f"the store {tracking.shown_store()} is a folder, which MLflow no longer supports: set "
            "MLFLOW_TRACKING_URI to a database such as sqlite:///mlflow.db (`mlflow migrate-filestore` "
            "moves the runs of the folder)"
        )
    if not tracking.is_database():
        return  # the server creates them
    name = f"mlflow-store-{os.getuid()}-{hashlib.sha256(uri.encode()).hexdigest()[:16]}.lock"
    with ExclusiveFileLock(str(Path(tempfile.gettempdir(), name))):
        try:
            _make_whole(uri)
            adopt_default()
        except ValueError as error:
            # Its configuration's parser takes a % in the path of its own files for a reference.
            if "interpolation" not in str(error):
                raise
            raise UserError(
                f"MLflow makes no tables where its files' path has a %: move {ROOT} to another folder"
            ) from None
    check_place()


def _make_whole(uri: str) -> None:
    """Make the tables of an SQLite store that is not there yet: all of them or none.

    An interruption while MLflow makes them leaves some, on which every later command fails.

    Raises:
        UserError: MLflow cannot keep the path of the current folder.
    """
    url = make_url(uri)
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return
    path = Path(url.database)
    # MLflow says better why a file cannot be made.
    if _is_nothing(path) and can_be_written(path):
        here = str(Path.cwd())
        # MLflow writes the place of artifacts into its SQL as Python would write it.
        if repr(here)[1:-1] != here:
            raise UserError(
                "MLflow makes no store in a folder with both kinds of quotes, a backslash or an "
                f"invisible character in its path, such as {here!r}: use another folder"
            )
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        with whole_file(path) as part:
            own = url.set(database=str(part)).render_as_string(hide_password=False)
            SqlAlchemyStore(own, DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH).engine.dispose()
            if not _is_nothing(path):
                # Of another command, such as `mlflow ui`.
                part.unlink()


def _is_nothing(path: Path) -> bool:
    # SQLite makes an empty file of a database that is only looked at.
    return not path.exists() or path.stat().st_size == 0


def check_answers() -> None:
    """Ask a server for some seconds: MLflow would for minutes, which a run that has begun needs.

    Raises:
        UserError: It does not answer as a server of MLflow.
    """
    if urlparse(mlflow.get_tracking_uri()).scheme not in ("http", "https"):
        return
    with tracking.asked_briefly():
        try:
            found = MlflowClient().get_experiment_by_name(PROJECT)
        except MlflowException as error:
            silent = tracking.no_answer(error) or tracking.other_server(first_line(error))
            raise UserError(masked(silent)) from None
    if found is not None and found.name != PROJECT:
        raise UserError(tracking.other_server("its experiment has another name"))


def main() -> None:
    """Run the command mlflow on a store that was opened safely.

    Its `run` uses the project's experiment unless the user names another.
    """
    from mlflow.cli import cli

    tracking.decode_store()
    try:
        open_store()
        check_answers()
        if sys.argv[1:2] == ["run"] and not any("--experiment-" in one for one in sys.argv):
            name = check_named()
            sys.argv += ["--experiment-name", name] if name else []
        end_soon()
        sys.exit(cli(prog_name="mlflow"))
    except UserError as error:
        sys.exit(f"Error: {error}")
    except UnsupportedModelRegistryStoreURIException as error:
        sys.exit(f"Error: MLFLOW_TRACKING_URI cannot be used: {first_line(error)}")
    except MlflowException as error:
        silent = tracking.no_answer(error)
        if silent is None:
            raise
        sys.exit(f"Error: {masked(silent)}")
