"""What a user sees after giving a step invalid input."""

import errno
import re
import subprocess
import sys

import click
import mlflow
import pytest
from click.testing import CliRunner
from mlflow.exceptions import ExecutionException, MlflowException

from common import PROJECT
from common.store.experiment import ui_command
from steps.champion import champion
from steps.command import Command
from steps.load_data import load_data
from steps.main import main
from steps.predict import predict
from steps.report import report
from steps.split import split
from steps.train_ga import train_ga
from steps.train_grid import train_grid
from tests.answering import answering
from tests.project import ROOT


def line_of(command, *arguments):
    """Run a command that must fail, and return its one-line message."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(
    ("command", "flag", "value", "message"),
    [
        (load_data, "--source", "", "'--source': '' is no value: give one, or leave it out for auto"),
        (load_data, "--label", " ", "'--label': ' ' is no value: give one, or leave it out for auto"),
        (train_grid, "--features", "", "'--features': '' is no value"),
        (main, "--use-cache", "", "'--use-cache': '' is no value: give one, or leave it out for true"),
        (main, "--folds", "", "'--folds': '' is no value: give one, or leave it out for 5"),
        (predict, "--input", "", "'--input': '' is no value: give one."),
    ],
)
def test_parameter_without_a_value_is_refused_before_anything_is_read(command, flag, value, message):
    assert message in line_of(command, flag, value)


FILES = ["--input", "nope.csv", "--output", "scores"]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (load_data, ["--dataset", "nope"], "dataset 'nope' is unknown"),
        (load_data, ["--source", "nope.csv"], "source 'nope.csv' does not exist"),
        (load_data, ["--nope", "1"], "No such option"),
        (split, ["--train-ratio", "1.5"], "'--train-ratio': 1.5 is not in the range"),
        (split, ["--source", "nope.csv"], "source 'nope.csv' does not exist"),
        (train_grid, ["--learner", "knn"], "learner must be one of auto, gbt, xgboost"),
        (train_grid, ["--engine", "gpu"], "engine of learner 'gbt' must be one of"),
        (train_grid, ["--grid", '{"depth": [1]}'], "grid contains the parameter 'depth'"),
        (train_grid, ["--folds", "1"], "'--folds': 1 is not in the range"),
        (train_grid, ["--seed", "9" * 20], "'--seed': 99999999999999999999 is not in the range"),
        (train_grid, ["--seed", "-1"], "'--seed': -1 is not in the range"),
        (train_grid, ["--minutes", "nan"], "'--minutes': nan is not a finite number"),
        (train_grid, ["--minutes", "inf"], "'--minutes': inf is not a finite number"),
        (train_ga, ["--space", "typo"], "space 'typo' is unknown"),
        (train_ga, ["--generations", "0"], "'--generations': 0 is not in the range"),
        (train_ga, ["--population", "2"], "'--population': 2 is not in the range"),
        (train_ga, ["--crossover", "x"], "'x' is not one of"),
        (main, ["--space", "typo"], "space 'typo' is unknown"),
        (champion, ["--version", "3"], f"version '3' of model '{PROJECT}' does not exist"),
        (champion, ["--version", "3", "--ensemble", "true"], "it cannot go with version=3"),
        (champion, ["--name", "a/b"], "name must be non-empty text"),
        (champion, ["--candidates", "runs:/nope"], "run 'nope' does not exist"),
        (report, [], "there is no finished run to report on: run `make main` first"),
        (report, ["--workflow", "nope"], "run 'nope' does not exist"),
        (predict, ["--input", "x.csv"], "Missing option '--output'"),
        (
            predict,
            [*FILES, "--model", "models:/none@champion"],
            "model 'models:/none@champion' cannot be",
        ),
        (predict, [*FILES, "--model", "nope"], "model 'nope' cannot be read"),
        (predict, ["--input", "runs:/nope/x", "--output", "y"], "'runs:/nope/x' cannot be read"),
        (split, ["--data", "runs:/nope/data"], "artifact 'runs:/nope/dataset.yaml' cannot be read"),
        (main, ["--grid", "typo"], "grid 'typo' is unknown"),
        (main, ["--metric", "F1"], "'F1' is not one of"),
        (main, ["--source", "nope.csv"], "source 'nope.csv' does not exist"),
    ],
)
def test_mistake_is_one_line_that_names_it(store, command, arguments, message):
    assert message in line_of(command, *arguments)


def test_bad_file_leaves_a_failed_run_without_artifacts(store, spark, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("1, 2, 3\n")
    assert "nor the 15 fields per line of the data set's own files; its first line has 3" in line_of(
        load_data, "--source", str(path)
    )
    (run,) = mlflow.MlflowClient().search_runs([store])
    assert run.info.status == "FAILED"
    assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


JAVA = "Job aborted: ...\nCaused by: java.io.IOException: No space left on device\n\tat x"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/data/x"), "Disk quota exceeded: /data/x"),
        # Of a copy: from where, and to where.
        (OSError(errno.ENOSPC, "No space left", "/tmp/x", None, "/store/x"), "No space left: /store/x"),
        (RuntimeError(JAVA), "No space left on device"),
        (
            MlflowException("database or disk is full"),
            "database or disk is full",
        ),
    ],
)
def test_full_disk_is_one_line_however_it_is_found(error, said):
    @click.command(cls=Command)
    def direct():
        raise error

    @click.command(cls=Command)
    def wrapped():
        raise RuntimeError("the write failed") from error

    for full in (direct, wrapped):
        assert line_of(full) == (
            f"Error: {said}: make room on the disks of the project, of the store and of temporary files "
            "(TMPDIR), and give the same command again"
        )


def test_error_of_ours_keeps_its_trace():
    @click.command(cls=Command)
    def broken():
        raise KeyError("ours")

    result = CliRunner().invoke(broken)
    assert isinstance(result.exception, KeyError)


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("sqlite:///mlflow.db", "mlflow ui --backend-store-uri sqlite:///mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        (
            "postgresql://me:secret@host/runs",
            "mlflow ui --backend-store-uri 'postgresql://me:***@host/runs'",
        ),
        ("https://me:secret@host/mlflow", "https://me:***@host/mlflow"),
    ],
)
def test_store_is_shown_without_its_password(monkeypatch, store, shown):
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: store)
    assert ui_command() == shown


def test_store_that_does_not_answer_is_one_line(store, monkeypatch, slice_file):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    said = line_of(load_data, "--source", str(slice_file))
    assert said.startswith(
        "Error: http://127.0.0.1:9 does not answer: API request to http://127.0.0.1:9/"
    )


def test_store_that_wants_a_password_is_one_line(store, slice_file):
    with answering(401) as url:
        mlflow.set_tracking_uri(url)
        said = line_of(load_data, "--source", str(slice_file))
    assert said.startswith(f"Error: {url} does not know you: set MLFLOW_TRACKING_USERNAME and ")


@pytest.mark.parametrize("goes_on", ["resumes", "writes"])
def test_experiment_that_is_deleted_meanwhile_is_one_line(store, goes_on):
    @click.command(cls=Command)
    def writing():
        client = mlflow.MlflowClient()
        with mlflow.start_run() as run:
            client.delete_experiment(store)
            if goes_on == "writes":
                client.set_tag(run.info.run_id, "a", "b")
        mlflow.start_run(run.info.run_id)

    said = line_of(writing)
    assert said.startswith("Error: what this command writes to in sqlite:")
    assert "; `mlflow experiments restore --experiment-id` or " in said


def test_store_that_is_a_folder_is_one_line(store, tmp_path, slice_file):
    mlflow.set_tracking_uri(tmp_path / "mlruns")
    said = line_of(load_data, "--source", str(slice_file))
    assert re.match(r"Error: the store \S+/mlruns is a folder, .* a database such as sqlite:///", said)


def test_error_of_the_store_that_is_ours_keeps_its_trace():
    @click.command(cls=Command)
    def wrong():
        raise MlflowException("no such column")

    assert isinstance(CliRunner().invoke(wrong).exception, MlflowException)


def test_grace_that_is_no_number_is_one_line_and_leaves_a_failed_run(store, monkeypatch):
    monkeypatch.setenv("INCOME_GRACE", "soon")
    assert "INCOME_GRACE must be a number of seconds" in line_of(load_data, "--source", "sample")
    (run,) = mlflow.MlflowClient().search_runs([store])
    assert run.info.status == "FAILED"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (load_data, {"--source": "https://me:s3cret@host/x.csv"}),
        (train_grid, {"--source": "https://host/x.csv?sig=s3cret"}),
        (main, {"--source": "s3a://AKIA:s3cret@bucket/x.csv"}),
        (predict, {"--input": "https://me:s3cret@host/x.csv", "--output": "y"}),
    ],
)
def test_secret_in_a_uri_is_refused_and_kept_nowhere(store, command, options):
    line = line_of(command, *[part for option in options.items() for part in option])
    assert "contains a password or token" in line
    kept = [str(run.to_dictionary()) for run in mlflow.MlflowClient().search_runs([store])]
    assert "s3cret" not in line + "".join(kept)


def test_step_that_failed_has_shown_the_only_line_that_begins_with_error(store, slice_file, monkeypatch):
    def fail(*_, **__):
        raise ExecutionException("Run (ID 'abc') failed")

    monkeypatch.setattr(mlflow, "run", fail)
    result = CliRunner().invoke(main, ["--source", str(slice_file)])
    assert result.exit_code == 1
    assert "step load_data failed (Run (ID 'abc') failed): see its message above" in result.stderr
    assert "Error: " not in result.stderr


def test_trace_of_an_error_of_ours_is_shown_without_a_password(tmp_path):
    # MLflow's message contains the server's URI.
    failing = "import click; from steps.command import Command; "
    failing += (
        "\n@click.command(cls=Command)\ndef fail(): raise KeyError('http://me:s3cret@host/api')\nfail()"
    )
    done = subprocess.run([sys.executable, "-c", failing], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "http://me:***@host/api" in done.stderr
    assert "s3cret" not in done.stderr.replace("raise KeyError('http://me:s3cret@host/api')", "")
