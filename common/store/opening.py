"""The tracking store's tables, made by one process at a time.

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
from mlflow import MlflowClient
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.utils.file_utils import ExclusiveFileLock


def open_store() -> None:
    """Make the tables of an empty store; where another process of this machine does, wait for it."""
    uri = mlflow.get_tracking_uri()
    if urlparse(uri).scheme.partition("+")[0] not in DATABASE_ENGINES:
        return  # its server makes them
    name = f"mlflow-store-{os.getuid()}-{hashlib.sha256(uri.encode()).hexdigest()[:16]}.lock"
    with ExclusiveFileLock(str(Path(tempfile.gettempdir(), name))):
        MlflowClient().search_experiments(max_results=1)


def main() -> None:
    """Be the command mlflow."""
    from mlflow.cli import cli

    open_store()
    sys.exit(cli(prog_name="mlflow"))


if __name__ == "__main__":
    main()
