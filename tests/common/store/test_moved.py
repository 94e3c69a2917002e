"""A store in the project's folder that was moved or copied with it."""

import shutil

import mlflow
import pytest
from mlflow import MlflowClient

from common.errors import UserError
from common.store import artifacts, opening
from common.store.moved import check_place, make_own
from common.store.step_run import start_run


def logged(client, text):
    """A run with an artifact, in the default experiment."""
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, text, "a.txt")
    return run_id


@pytest.fixture
def use(monkeypatch):
    """Return a function that makes MLflow use the store of a folder, in that folder or at another."""
    before = mlflow.get_tracking_uri()

    def use(folder, at=None):
        monkeypatch.chdir(at or folder)
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        return MlflowClient()

    yield use
    mlflow.set_tracking_uri(before)


@pytest.fixture
def old(tmp_path, use):
    """A folder with a store that has a run, a registered model and an experiment of another place."""
    folder = tmp_path / "my old_%x"
    folder.mkdir()
    client = use(folder)
    run_id = logged(client, "first")
    client.create_registered_model("m")
    client.create_model_version("m", client.get_run(run_id).info.artifact_uri, run_id)
    client.create_experiment("shared", artifact_location="s3://bucket/mlruns/1")
    client.create_experiment("mine", artifact_location=(tmp_path / "mine").as_uri())
    return folder


def first_run(client):
    return min(client.search_runs(["0"]), key=lambda run: run.info.start_time).info.run_id


def test_store_in_its_own_folder_is_taken(old, use, tmp_path):
    use(old)
    check_place(old)
    assert make_own(old) == {}
    link = tmp_path / "link"
    link.symlink_to(old)
    check_place(link)
    # A store that is not in the project's folder may have its artifacts anywhere.
    check_place(tmp_path)
    mlflow.set_tracking_uri("http://127.0.0.1:1")
    assert make_own(old) == {}
    assert sorted(one.name for one in old.iterdir()) == ["mlflow.db", "mlruns"]


def test_moved_store_is_refused_until_it_is_made_this_folders_own(old, use, tmp_path):
    new = tmp_path / "new"
    old.rename(new)
    client = use(new)
    with pytest.raises(
        UserError, match=rf"^the store {new}/mlflow.db was moved or copied here from .*old_%x"
    ):
        check_place(new)
    run_id = first_run(client)
    with pytest.raises(UserError, match="`make moved` makes it use"):
        check_place(new)
    assert make_own(new) == {old / "mlruns": 1}
    check_place(new)
    client = use(new)
    assert artifacts.read_text(f"runs:/{run_id}/a.txt") == "first"
    assert artifacts.fetch("models:/m/1") == f"{new}/mlruns/0/{run_id}/artifacts"
    assert client.get_run(logged(client, "next")).info.artifact_uri.startswith(f"{new}/mlruns/0/")
    places = {one.name: one.artifact_location for one in client.search_experiments()}
    assert places == {
        "Default": f"{new}/mlruns/0",
        "shared": "s3://bucket/mlruns/1",
        "mine": (tmp_path / "mine").as_uri(),
    }
    assert not old.exists()


def test_copied_store_parts_from_the_other(old, use, tmp_path):
    new = tmp_path / "new"
    shutil.copytree(old, new)
    run_id = first_run(use(new))
    assert make_own(new) == {old / "mlruns": 1}
    shutil.rmtree(old)
    assert artifacts.read_text(f"runs:/{run_id}/a.txt") == "first"


def test_results_that_are_in_the_other_folder_only_are_not_left_there(old, use, tmp_path):
    new = tmp_path / "new"
    shutil.copytree(old, new)
    # Into the other's folder, as a store that was not refused did.
    logged(use(new), "later")
    with pytest.raises(UserError, match=r"1 of the store's 2 runs have artifacts in .* only: `cp -Rn '"):
        make_own(new)
    with pytest.raises(UserError, match="was moved or copied"):
        check_place(new)
    shutil.copytree(old / "mlruns", new / "mlruns", dirs_exist_ok=True)
    assert make_own(new) == {old / "mlruns": 2}


def test_database_that_was_copied_alone_is_refused(old, use, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    shutil.copy(old / "mlflow.db", new)
    use(new)
    with pytest.raises(UserError, match="was moved or copied"):
        check_place(new)


def test_store_that_was_first_opened_from_another_folder_is_taken(use, tmp_path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    logged(use(project, at=elsewhere), "there")
    assert (elsewhere / "mlruns").is_dir()
    check_place(project)


def test_lost_folder_is_named(old, use):
    client = use(old)
    place = client.get_run(first_run(client)).info.artifact_uri
    shutil.rmtree(place)
    with pytest.raises(UserError, match=f"model 'models:/m/1' cannot be read: {place} does not exist"):
        artifacts.model_folder("models:/m/1")
    with pytest.raises(UserError, match=rf"cannot be read: {place}/a.txt does not exist"):
        artifacts.read_text(f"runs:/{first_run(client)}/a.txt")


def test_step_is_refused_before_it_has_a_run(old, use, tmp_path, monkeypatch):
    new = tmp_path / "new"
    old.rename(new)
    client = use(new)
    monkeypatch.setattr(opening, "check_place", lambda: check_place(new))
    with pytest.raises(UserError, match="was moved or copied"), start_run("load_data"):
        pytest.fail("the run was opened")
    assert len(client.search_runs(["0"])) == 1


def test_artifacts_that_cannot_be_kept_end_a_step_in_one_line(old, use, tmp_path):
    client = use(old)
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "runs"
    mlflow.set_experiment(experiment_id=client.create_experiment("lost", artifact_location=str(place)))
    with (
        pytest.raises(
            UserError, match=rf"artifacts of this run cannot be kept in {place}/.*: Not a directory"
        ),
        start_run("load_data"),
    ):
        artifacts.log_text("x", "a.txt")
    # Another file that cannot be read is no matter of the store.
    with pytest.raises(FileNotFoundError), start_run("load_data"):
        (tmp_path / "none").read_text()
