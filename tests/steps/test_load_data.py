"""A source that changes while load_data reads it."""

import mlflow
from click.testing import CliRunner

from common.data.load import read_found
from steps.load_data import load_data


def test_file_that_changes_while_it_is_read_is_refused(store, spark, tmp_path, monkeypatch):
    path = tmp_path / "churn.csv"
    rows = [f"{i % 7},{'no' if i % 3 else 'yes'}" for i in range(30)]
    path.write_text("\n".join(["months,churned", *rows]))

    def read_late(spark, found):
        # As a program that writes it anew. Spark reads it afterwards.
        path.write_text("\n".join(["months,churned", *rows[:20]]))
        return read_found(spark, found)

    monkeypatch.setattr("steps.load_data.read_found", read_late)
    done = CliRunner().invoke(load_data, ["--source", str(path), "--label", "churned"])
    assert done.exit_code == 1, done.output
    assert done.stderr.startswith(f"Error: source {path.as_uri()} has changed while it was read: ")
    (run,) = mlflow.MlflowClient().search_runs([store])
    assert run.info.status == "FAILED"


def test_sample_that_is_read_has_not_changed(call):
    assert "rows of adult from" in call(load_data, dataset="adult", source="sample")[0]
