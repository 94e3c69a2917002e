"""The experiment that the project's runs are in, and where MLflow's UI shows it."""

import os
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import yaml
from mlflow import MlflowClient
from mlflow.entities import Experiment

from common.machine.secrets import masked

ROOT = Path(__file__).parents[2]
# MLflow's own experiment, in which it opens a run when it is told of no other.
DEFAULT_ID = "0"
# Where `mlflow ui` is, unless it is told another place.
LOCAL_UI = "http://127.0.0.1:5000"
# MLflow's UI shows traces and judges, unless its address or a user says that models are trained; some of
# its versions also go by the experiment's kind.
SHOWN = "?workflowType=machine_learning"
KIND, TRAINING = "mlflow.experimentKind", "custom_model_development"

NOTE = "mlflow.note.content"
# Of it the UI shows the first line, until it is asked for more.
ABOUT = """\
[**The table of runs**]({runs}) is under *Model training*, at the top left.

They are those of an MLflow Project: from a table to a registered champion, with every candidate tracked.

- A run of **main** is a whole workflow. Its page links its report, its searches and the champion. The +
  in the table opens it: its steps are below it, or stand elsewhere where it used them again.
- A run of **train_grid** or **train_ga** is a search. Its page says what was found; each candidate is a
  run below it (of train_ga in generations).
- `val_roc_auc` and its like are means over the folds, by which a search chooses. `test_` is told of the
  winners alone. `guess_` is what guessing scores.
"""


def project_name() -> str:
    """Return the project's name, as MLproject has it."""
    return str(yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["name"])


def adopt_default() -> None:
    """Give MLflow's own experiment the project's name, in a store with nothing in it but this run.

    `mlflow run` opens a run there, before a step can say where. What is anybody else's keeps its name.
    """
    client = MlflowClient()
    found = client.search_experiments(max_results=2)
    if [one.name for one in found] != [Experiment.DEFAULT_EXPERIMENT_NAME]:
        return
    runs = client.search_runs([DEFAULT_ID], max_results=2)
    if {run.info.run_id for run in runs} <= {os.environ.get("MLFLOW_RUN_ID")}:
        client.rename_experiment(DEFAULT_ID, project_name())


def introduce(experiment_id: str) -> None:
    """Say in the UI what the project's own experiment is; one of another name is the user's."""
    client = MlflowClient()
    experiment = client.get_experiment(experiment_id)
    if experiment.name != project_name():
        return
    about = ABOUT.format(runs=_runs(experiment_id) + SHOWN)
    for name, value in ((NOTE, about), (KIND, TRAINING)):
        if name not in experiment.tags:
            client.set_experiment_tag(experiment_id, name, value)


def find_experiment() -> str:
    """Return the id of the project's own experiment, or of MLflow's where there is none."""
    experiment = MlflowClient().get_experiment_by_name(project_name())
    return DEFAULT_ID if experiment is None else str(experiment.experiment_id)


def table_address(experiment_id: str, ui: str | None = None) -> str:
    """Return the address of an experiment's runs in the UI.

    Args:
        experiment_id: the experiment.
        ui: address that the UI is served at; None: the store's own, or where `mlflow ui` is.
    """
    store = masked(mlflow.get_tracking_uri())
    served = store if urlparse(store).scheme in ("http", "https") else LOCAL_UI
    return f"{(ui or served).rstrip('/')}/{_runs(experiment_id)}{SHOWN}"


def run_link(experiment_id: str, run_id: str, path: str = "") -> str:
    """Return the link, from any page of the UI, to a run or to one of its artifacts."""
    return f"{_runs(experiment_id)}/{run_id}{path and f'/artifacts/{path}'}{SHOWN}"


def version_link(name: str, version: str) -> str:
    """Return the link, from any page of the UI, to a version of a model."""
    return f"#/models/{name}/versions/{version}{SHOWN}"


def _runs(experiment_id: str) -> str:
    return f"#/experiments/{experiment_id}/runs"
