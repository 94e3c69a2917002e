"""A tracking store and registry for a test, and calls of the steps' commands on it."""

import shutil
from contextlib import contextmanager

import mlflow
import pytest
from click.testing import CliRunner

from common.store import tracking
from steps.featurize import featurize
from steps.load_data import load_data
from steps.split import split


@contextmanager
def new_store(folder, empty_store):
    """Make MLflow use an empty store in a folder; yields the experiment's id."""
    with pytest.MonkeyPatch.context() as environment:
        shutil.copy(empty_store, folder / "mlflow.db")
        uri = f"sqlite:///{folder}/mlflow.db"
        environment.setenv("MLFLOW_TRACKING_URI", uri)
        for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
            environment.delenv(name, raising=False)
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        experiment = mlflow.create_experiment("test", artifact_location=(folder / "runs").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        yield experiment
        mlflow.set_tracking_uri(before)


def step_caller(store):
    """Return a function that calls a step's command and returns its output and its run's URI."""

    def call(command, **options):
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
        (run,) = tracking.find_finished({tracking.STEP: command.name}, store)
        return result.stdout, f"runs:/{run.info.run_id}"

    return call


def made_features(store, source):
    """Call the steps up to featurize on a file; return the features' URI."""
    call = step_caller(store)
    _, loaded = call(load_data, source=source)
    _, parts = call(split, data=f"{loaded}/data")
    return call(featurize, split=parts)[1]
