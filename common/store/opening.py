"""The tracking store's tables, made by one process at a time, with an experiment of the project's name.

Two processes that open an empty database at once make its tables at once, and MLflow lets one break the
other. As a command this is `mlflow` itself, on a store that has been opened so.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlparse

import mlflow
from mlflow.environment_variables import MLFLOW_ALLOW_FILE_STORE
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.utils.file_utils import ExclusiveFileLock

from common.errors import UserError
from common.store import tracking
from common.store.experiment import adopt_default, project_name


def open_store() -> None:
    """Make the tables of an empty store; where another process of this machine does, wait for it.

    Raises:
        UserError: the store is a folder, which MLflow refuses unless it is told otherwise.
    """
    uri = mlflow.get_tracking_uri()
    scheme = urlparse(uri).scheme.partition("+")[0]
    if scheme in ("", "file") and not MLFLOW_ALLOW_FILE_STORE.get():
        raise UserError(
            f"the store {tracking.shown_store()} is a folder, which MLflow takes no more: set "
            "MLFLOW_TRACKING_URI to a database such as sqlite:///mlflow.db (`mlflow migrate-filestore` "
            "moves what the folder has)"
        )
    if scheme not in DATABASE_ENGINES:
        return  # its server makes them
    name = f"mlflow-store-{os.getuid()}-{hashlib.sha256(uri.encode()).hexdigest()[:16]}.lock"
    with ExclusiveFileLock(str(Path(tempfile.gettempdir(), name))):
        adopt_default()


def main() -> None:
    """Be the command mlflow, which runs the project in its own experiment unless it is told another."""
    from mlflow.cli import cli

    try:
        open_store()
    except UserError as error:
        sys.exit(f"Error: {error}")
    told = {"MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"} & os.environ.keys()
    if sys.argv[1:2] == ["run"] and not told and not any("--experiment-" in one for one in sys.argv):
        sys.argv += ["--experiment-name", project_name()]
    sys.exit(cli(prog_name="mlflow"))


if __name__ == "__main__":
    main()
