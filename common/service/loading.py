"""Load a model, and put together the application that serves it."""

import logging
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlflow.environment_variables import MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, load_model, scoring_server

from .application import Service
from .lean import is_portable
from .metrics import Metrics


def application(folder: str) -> Service:
    """Load a model, and return the application that serves it."""
    model = _loaded(folder)
    known = model.metadata.metadata or {}
    columns = known.get("columns", {})
    metrics = Metrics(
        [name for name, column in columns.items() if "categories" in column],
        known.get("labels", ()),
        [name for name, column in columns.items() if column.get("missing")],
    )
    inner = _inner(model)
    # Other models, and those of earlier versions of this project, can neither observe nor answer.
    if hasattr(inner, "observe"):
        inner.observe(known, lambda batch: metrics.scored(*batch))
    answer = getattr(inner, "answer", lambda body: None)
    limit = MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT.get()
    return Service(scoring_server.init(model), answer, metrics, limit)


def _loaded(folder: str) -> PyFuncModel:
    """Load a model; the server, which was imported before, is taught to read its requests."""
    if not is_portable(folder):
        return scoring_server.load_model_with_mlflow_config(folder)
    # MLflow would look into every file of every package that is installed: half a second.
    if others := other_versions(Path(folder, "requirements.txt").read_text(encoding="utf-8")):
        logging.getLogger("uvicorn.error").warning("the model was checked with %s", ", ".join(others))
    return load_model(folder, suppress_warnings=True)


def other_versions(requirements: str) -> list[str]:
    """Return the pins of a model that are not the versions installed here, in words."""
    found = []
    for line in requirements.split():
        name, _, pinned = line.partition("==")
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "none"
        if pinned and installed != pinned:
            found.append(f"{name} {pinned} (here {installed})")
    return found


def _inner(model: PyFuncModel) -> object:
    try:
        return model.unwrap_python_model()
    except (AttributeError, MlflowException):
        return None
