"""The experiment of the project's runs, and its address in MLflow's UI."""

import os
import shlex
from urllib.parse import urlparse

from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage
from mlflow.exceptions import MlflowException

from common import PROJECT
from common.errors import UserError
from common.store.tracking import shown_store

# MLflow's default experiment.
DEFAULT_ID = "0"
# The variables that name another.
NAMES = ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID")
# The default address of `mlflow ui`.
LOCAL_UI = "http://127.0.0.1:5000"
# MLflow's UI shows traces and judges by default. The address, or a choice of the user, makes it show
# training runs; some versions also use the experiment's kind.
SHOWN = "?workflowType=machine_learning"
KIND, TRAINING = "mlflow.experimentKind", "custom_model_development"

NOTE = "mlflow.note.content"
# The UI shows the first line only, until the reader asks for more.
ABOUT = """\
[Open the run table]({runs}), or choose *Model training* at the top left.

These runs are of an MLflow Project that takes a table to a registered champion and tracks each candidate.

- A **main** run is a whole workflow. Its page links the report, the searches and the champion. The + in
  the table shows its steps; steps that it reused are elsewhere in the table.
- A **train_grid** or **train_ga** run is a search. Its page says what was found. Each candidate is a run
  below it (for train_ga, below its generation).
- `val_...` metrics are means over the folds; a search ranks by them. `test_...` metrics exist for winners
  only. `guess_...` metrics show what guessing would score.
"""


def adopt_default() -> None:
    """Rename MLflow's default experiment after the project, if the store holds nothing but this run.

    `mlflow run` opens a run there before a step can choose an experiment. A store that others use is
    left alone.
    """
    client = MlflowClient()
    found = client.search_experiments(max_results=2)
    if [one.name for one in found] != [Experiment.DEFAULT_EXPERIMENT_NAME]:
        return
    runs = client.search_runs([DEFAULT_ID], max_results=2)
    if {run.info.run_id for run in runs} <= {os.environ.get("MLFLOW_RUN_ID")}:
        client.rename_experiment(DEFAULT_ID, PROJECT)


def check_named() -> str | None:
    """Check the experiment that `mlflow run` will use.

    Returns:
        The project's name, or None if the environment names an experiment.

    Raises:
        UserError: The environment names two, or one that is not there; or it was deleted.
    """
    for name in NAMES:
        if not os.environ.get(name):
            # MLflow takes an empty one for a name.
            os.environ.pop(name, None)
    by_name, by_id = map(os.environ.get, NAMES)
    if by_name is not None and by_id is not None:
        both = f"{NAMES[0]} {by_name!r} and {NAMES[1]} {by_id!r}"
        raise UserError(f"{both} are both set: unset one of them")
    found = _by_id(by_id) if by_id else MlflowClient().get_experiment_by_name(by_name or PROJECT)
    if found is not None and found.lifecycle_stage == LifecycleStage.DELETED:
        raise UserError(
            f"experiment {found.name!r} of {shown_store()} was deleted: `mlflow experiments restore "
            f"--experiment-id {found.experiment_id}`, or set {NAMES[0]} to the name of another"
        )
    return None if by_name or by_id else PROJECT


def _by_id(given: str) -> Experiment:
    try:
        return MlflowClient().get_experiment(given)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise UserError(
            f"{NAMES[1]} {given!r} is no experiment of {shown_store()}: unset it, or give the id of one"
        ) from None


def introduce(experiment_id: str) -> None:
    """Describe the project's experiment in the UI; an experiment of another name belongs to the user."""
    client = MlflowClient()
    experiment = client.get_experiment(experiment_id)
    if experiment.name != PROJECT:
        return
    about = ABOUT.format(runs=_runs(experiment_id) + SHOWN)
    for name, value in ((NOTE, about), (KIND, TRAINING)):
        if name not in experiment.tags:
            client.set_experiment_tag(experiment_id, name, value)


def find_experiment() -> str:
    """Return the id of the project's experiment, or of MLflow's default one if there is none."""
    experiment = MlflowClient().get_experiment_by_name(PROJECT)
    return DEFAULT_ID if experiment is None else str(experiment.experiment_id)


def table_address(experiment_id: str, ui: str | None = None) -> str:
    """Return the address of an experiment's run table in the UI.

    Args:
        experiment_id: The experiment.
        ui: The address of the UI; None: the tracking server, or the default address of `mlflow ui`.
    """
    return f"{(ui or _server() or LOCAL_UI).rstrip('/')}/{_runs(experiment_id)}{SHOWN}"


def ui_command() -> str:
    """Return the command that shows the store's runs, or the address of its server."""
    return _server() or f"mlflow ui --backend-store-uri {shlex.quote(shown_store())}"


def where_to_look(experiment_id: str) -> str:
    """Return the command that shows the store's runs, and the address of the run table."""
    address = table_address(experiment_id)
    return address if _server() else f"{ui_command()}\n            {address}"


def _server() -> str:
    """Return the address of the tracking server; empty if the store is a database."""
    store = shown_store()
    return store if urlparse(store).scheme in ("http", "https") else ""


def run_link(experiment_id: str, run_id: str, path: str = "") -> str:
    """Return a link, valid on any page of the UI, to a run or one of its artifacts."""
    return f"{_runs(experiment_id)}/{run_id}{path and f'/artifacts/{path}'}{SHOWN}"


def version_link(name: str, version: str) -> str:
    """Return a link, valid on any page of the UI, to a version of a model."""
    return f"#/models/{name}/versions/{version}{SHOWN}"


def _runs(experiment_id: str) -> str:
    return f"#/experiments/{experiment_id}/runs"
