"""What a user sees who gave a step something wrong."""

import click
import mlflow
import pytest
from click.testing import CliRunner

from steps.champion import champion
from steps.load_data import load_data
from steps.main import main
from steps.predict import predict
from steps.report import report
from steps.split import split
from steps.step import StepCommand, ui_command
from steps.train_ga import train_ga
from steps.train_grid import train_grid


def line_of(command, *arguments):
    """Run a command that must fail, and return the one line it says."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line


FILES = ["--input", "nope.csv", "--output", "scores"]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (load_data, ["--dataset", "nope"], "dataset 'nope' is unknown"),
        (load_data, ["--source", "nope.csv"], "source 'nope.csv' does not exist"),
        (load_data, ["--nope", "1"], "No such option"),
        (split, ["--train-ratio", "1.5"], "'--train-ratio': 1.5 is not in the range"),
        (split, ["--source", "nope.csv"], "source 'nope.csv' does not exist"),
        (train_grid, ["--learner", "knn"], "learner must be one of gbt, xgboost"),
        (train_grid, ["--engine", "gpu"], "engine of learner 'gbt' must be one of"),
        (train_grid, ["--grid", '{"depth": [1]}'], "grid has the parameter 'depth'"),
        (train_grid, ["--folds", "1"], "'--folds': 1 is not in the range"),
        (train_ga, ["--space", "typo"], "space 'typo' is unknown"),
        (train_ga, ["--generations", "0"], "'--generations': 0 is not in the range"),
        (train_ga, ["--population", "2"], "'--population': 2 is not in the range"),
        (train_ga, ["--crossover", "x"], "'x' is not one of"),
        (main, ["--space", "typo"], "space 'typo' is unknown"),
        (champion, ["--version", "3"], "version '3' of model 'income' does not exist"),
        (champion, ["--version", "3", "--ensemble", "true"], "it cannot go with version=3"),
        (champion, ["--name", "a/b"], "name must be some text"),
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
    assert "nor 15 fields a line as the data set's own files have; its first line has 3" in line_of(
        load_data, "--source", str(path)
    )
    (run,) = mlflow.MlflowClient().search_runs([store])
    assert run.info.status == "FAILED"
    assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


def test_error_of_ours_keeps_its_trace():
    @click.command(cls=StepCommand)
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
            "mlflow ui --backend-store-uri postgresql://me:***@host/runs",
        ),
        ("https://me:secret@host/mlflow", "https://me:***@host/mlflow"),
    ],
)
def test_store_is_shown_without_its_password(monkeypatch, store, shown):
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: store)
    assert ui_command() == shown
