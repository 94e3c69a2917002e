"""What is fetched of a store on this machine."""

from pathlib import Path

import mlflow
import pytest

from common.errors import UserError
from common.store.artifacts import fetch
from common.store.kept import KEPT, has_artifacts, is_cut, note_kept
from common.store.locations import local_path
from common.store.portable_models import find_portable_model


@pytest.mark.parametrize("path", ["plots", "plots/a.txt"])
def test_artifact_on_this_machine_is_not_copied(store, temporary, path):
    with mlflow.start_run() as run:
        mlflow.log_text("a", "plots/a.txt")
    own = local_path(run.info.artifact_uri) / path
    for uri in (f"runs:/{run.info.run_id}/{path}", own.as_uri(), str(own)):
        assert Path(fetch(uri)) == own
    assert not list(temporary.iterdir())


@pytest.fixture
def kept(store):
    """A finished run that has noted the sizes of a table of two files; returns its id and its folder."""
    with mlflow.start_run() as run:
        for part in (0, 1):
            mlflow.log_text("rows", f"train/part-{part}.parquet")
        mlflow.log_text("mark", "train/_SUCCESS")
        note_kept(run.info.run_id, ["train"])
    return run.info.run_id, local_path(run.info.artifact_uri) / "train"


@pytest.mark.parametrize("damage", [Path.unlink, lambda part: part.write_text("row")])
def test_artifact_with_a_file_gone_or_cut_short_is_lost(kept, damage):
    run_id, folder = kept
    assert has_artifacts(run_id, ["train"])
    assert not is_cut(f"runs:/{run_id}/train")
    damage(folder / "part-1.parquet")
    assert not has_artifacts(run_id, ["train"])
    assert is_cut(f"runs:/{run_id}/train")


@pytest.mark.parametrize("left", ["__pycache__", "registered_model_meta"])
def test_what_readers_leave_in_an_artifact_makes_up_for_no_loss(kept, left):
    run_id, folder = kept
    (folder / left).write_text("much more than a part has")
    assert has_artifacts(run_id, ["train"])
    (folder / "part-1.parquet").unlink()
    assert not has_artifacts(run_id, ["train"])


def test_artifact_without_a_noted_size_is_there_while_it_has_content(kept):
    run_id, folder = kept
    mlflow.MlflowClient().delete_tag(run_id, KEPT)
    (folder / "part-1.parquet").unlink()
    assert has_artifacts(run_id, ["train"])
    assert not is_cut(f"runs:/{run_id}/train")


def test_model_that_lost_a_file_is_not_scored_with(store):
    with mlflow.start_run() as run:
        described = {"artifact_path": "model", "run_id": run.info.run_id}
        mlflow.log_dict({**described, "flavors": {"python_function": {}}}, "model/MLmodel")
        mlflow.log_text("graph", "model/artifacts/pipeline.onnx")
        note_kept(run.info.run_id, ["model"])
    (local_path(run.info.artifact_uri) / "model/artifacts/pipeline.onnx").unlink()
    with pytest.raises(UserError, match="model 'runs:/.*/model' cannot be read: files of it were"):
        find_portable_model(f"runs:/{run.info.run_id}/model")
