"""Real processes that open an empty store at the same moment."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.db import utils
from sqlalchemy import text

from common.errors import UserError
from common.store import artifacts, opening
from tests.answering import answering
from tests.project import ROOT

# A step that waits after its modules are loaded.
STEP = """
import sys
from common.store.step_run import start_run
print("ready", flush=True)
sys.stdin.readline()
with start_run("load_data"):
    pass
"""


def test_steps_that_start_at_once_on_an_empty_store_all_end_well(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(ROOT)}
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        environment.pop(name, None)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", STEP]
    processes = [
        subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, error = process.communicate()
        assert process.returncode == 0, error
    found = MlflowClient(uri).search_runs(["0"])
    assert [run.info.status for run in found] == ["FINISHED"] * 2


BRIEF = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


@pytest.mark.parametrize("own", [{}, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60"}])
def test_server_is_not_waited_for_long_before_anything_has_begun(store, monkeypatch, own):
    def ask(_, name):
        asked.append({name: os.environ.get(name) for name in BRIEF})

    asked = []
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", ask)
    for name in BRIEF:
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    opening.check_answers()
    assert asked == [BRIEF | own]
    # What has begun waits as long as MLflow does.
    assert {name: os.environ[name] for name in BRIEF if name in os.environ} == own


def test_server_that_is_down_is_told_in_a_line(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://me:s3cret@127.0.0.1:9")
    with pytest.raises(UserError, match=r"^http://me:\*\*\*@127.0.0.1:9 does not answer: [^\n]*$"):
        opening.check_answers()


def test_model_of_a_server_that_is_down_is_told_in_a_line(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    for model in ("models:/income@champion", f"runs:/{'a' * 32}/portable-model"):
        with pytest.raises(UserError, match="^http://127.0.0.1:9 does not answer: "):
            artifacts.model_folder(model)
    # A folder needs no store.
    with pytest.raises(UserError, match="model '/none' cannot be read"):
        artifacts.model_folder("/none")


def test_database_is_not_asked_whether_it_answers(store, monkeypatch):
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", None)
    opening.check_answers()


@pytest.mark.parametrize(
    ("status", "said"), [(401, "does not know you"), (404, "does not answer as a server of MLflow does")]
)
def test_makes_command_shows_a_line_if_the_server_is_none_of_mlflows(store, monkeypatch, status, said):
    monkeypatch.setattr(sys, "argv", ["mlflow", "run", "."])
    with answering(status) as url:
        mlflow.set_tracking_uri(url)
        with pytest.raises(SystemExit, match=f"^Error: {url} {said}[^\n]*$"):
            opening.main()


def test_makes_command_shows_a_line_if_the_server_ends_meanwhile(store, monkeypatch):
    def end(**_):
        mlflow.set_tracking_uri("http://127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        MlflowClient().get_run("a" * 32)

    monkeypatch.setattr(sys, "argv", ["mlflow", "run", "."])
    monkeypatch.setattr("mlflow.cli.cli", end)
    with pytest.raises(SystemExit, match="^Error: http://127.0.0.1:9 does not answer: "):
        opening.main()


def test_error_of_makes_command_that_is_no_silence_keeps_its_trace(store, monkeypatch):
    def fail(**_):
        raise MlflowException("no such column")

    monkeypatch.setattr(sys, "argv", ["mlflow", "run", "."])
    monkeypatch.setattr("mlflow.cli.cli", fail)
    with pytest.raises(MlflowException, match="no such column"):
        opening.main()


def test_store_whose_making_is_interrupted_is_not_there(tmp_path, monkeypatch):
    """MLflow fails on a database that has some of its tables."""

    def interrupted(engine):
        make(engine)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE metrics"))
        raise KeyboardInterrupt

    make = utils._initialize_tables
    (tmp_path / "it's 100 ?").mkdir()
    before = mlflow.get_tracking_uri()
    monkeypatch.chdir(tmp_path / "it's 100 ?")
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    try:
        with monkeypatch.context() as patch:
            patch.setattr(utils, "_initialize_tables", interrupted)
            with pytest.raises(KeyboardInterrupt):
                opening.open_store()
        assert not [file.name for file in Path().iterdir() if file.name != "mlruns"]
        Path("mlflow.db").touch()
        opening.open_store()
        run = MlflowClient().create_run("0")
        MlflowClient().log_metric(run.info.run_id, "a", 1)
        assert Path("mlflow.db").is_file()
        assert ".part" not in run.info.artifact_uri
        assert "/mlruns/0/" in run.info.artifact_uri
    finally:
        mlflow.set_tracking_uri(before)


@pytest.mark.parametrize("name", ['it\'s "it"', "back\\slash", "no\xa0break"])
def test_folder_whose_path_mlflow_cannot_keep_is_refused(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "sqlite:///mlflow.db")
    with pytest.raises(UserError, match="MLflow makes no store in a folder with both kinds of quotes"):
        opening.open_store()
    assert not list(folder.iterdir())
