"""What is fetched of a store on this machine."""

from pathlib import Path

import mlflow
import pytest

from common.store.artifacts import fetch
from common.store.locations import local_path


@pytest.mark.parametrize("path", ["plots", "plots/a.txt"])
def test_artifact_on_this_machine_is_not_copied(store, temporary, path):
    with mlflow.start_run() as run:
        mlflow.log_text("a", "plots/a.txt")
    own = local_path(run.info.artifact_uri) / path
    for uri in (f"runs:/{run.info.run_id}/{path}", own.as_uri(), str(own)):
        assert Path(fetch(uri)) == own
    assert not list(temporary.iterdir())
