"""All that talks to MLflow's tracking: runs found, tables, texts and files kept and read back."""

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import count, takewhile
from urllib.parse import unquote, urlsplit, urlunsplit

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE, ErrorCode
from mlflow.tracking import is_tracking_uri_set
from sqlalchemy.exc import InterfaceError, OperationalError

from common.errors import UserError, first_line
from common.machine.secrets import masked

# Tags by which runs are found again.
STEP, KEY, INPUT = "workflow.step", "workflow.key", "workflow.input."
# Of a run below a search, which search that is.
SEARCH = "workflow.search"
# MLflow's own: of the run that this one is nested in.
PARENT = "mlflow.parentRunId"

# Its bar counts one small file at a time.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

# It tells of each table, run, file and version that it makes, and steps tell what of that is to be known.
# By its variables the commands hear it that a step starts.
logging.getLogger("mlflow").setLevel(logging.WARNING)
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

# More runs than any store has.
ALL = 10**9

# MLflow's own bound of a tag, which it cuts without a word.
LONGEST_TAG = 8000


class StoreSilent(UserError):
    """A store did not answer, so what it holds is not known."""


def list_tags(name: str, items: Iterable[str]) -> dict[str, str]:
    """Return a list as tags: `name`, and `name.1`, `name.2`, ... where one cannot hold it; see listed."""
    parts = [""]
    for item in items:
        longer = f"{parts[-1]},{item}" if parts[-1] else item
        if len(longer) <= LONGEST_TAG:
            parts[-1] = longer
        else:
            parts.append(item)
    return {f"{name}.{place}" if place else name: part for place, part in enumerate(parts)}


def listed(tags: Mapping[str, str], name: str) -> list[str]:
    """Return the list that `list_tags` made tags of; where there is none, an empty one."""
    names = takewhile(tags.__contains__, (f"{name}.{place}" if place else name for place in count()))
    return [item for part in names for item in tags[part].split(",") if item]


def find_finished(tags: Mapping[str, str], experiment_id: str, most: int | None = 1) -> list[Run]:
    """Return the newest finished runs that have all these tags; all of them, if `most` is None."""
    return find_runs(tags, experiment_id, "FINISHED", most)


def find_runs(
    tags: Mapping[str, str], experiment_id: str, status: str, most: int | None = None
) -> list[Run]:
    """Return the newest runs of a status that have all these tags, by one indexed query a page."""
    clauses = [f"tags.`{name}` {_equals(value)}" for name, value in tags.items()]
    query = " and ".join([*clauses, f"attributes.status = '{status}'"])
    exact = not any("'" in value and '"' in value for value in tags.values())
    found = search(experiment_id, query, most if exact else None)
    return found if exact else [run for run in found if tags.items() <= run.data.tags.items()][:most]


def _equals(value: str) -> str:
    """Return the clause of a value; literals know no escapes: one with both quotes is like it."""
    if "'" in value and '"' in value:
        return "LIKE '{}'".format(value.replace("'", "_"))
    quote = '"' if "'" in value else "'"
    return f"= {quote}{value}{quote}"


def search(experiment_id: str, query: str, most: int | None = None) -> list[Run]:
    """Return the newest runs that a query of MLflow's finds, however many; at most so many, if told."""
    return list(
        mlflow.search_runs(
            [experiment_id],
            filter_string=query,
            order_by=["attributes.start_time DESC"],
            max_results=ALL if most is None else most,
            output_format="list",
        )
    )


def is_silence(error: BaseException | None) -> bool:
    """Tell whether an error of MLflow's comes from a tracking store that could not be reached."""
    while error is not None:
        if isinstance(error, (requests.RequestException, OperationalError, InterfaceError)):
            return True
        if getattr(error, "error_code", "") == ErrorCode.Name(TEMPORARILY_UNAVAILABLE):
            return True
        error = error.__cause__ or error.__context__
    return False


def get_run(uri: str) -> Run:
    """Return a run by its id or runs:/ URI.

    Raises:
        UserError: there is no such run.
        StoreSilent: the store does not answer.
    """
    run_id = uri.removeprefix("runs:/")
    try:
        return mlflow.get_run(run_id)
    except MlflowException as error:
        if is_silence(error):
            raise StoreSilent(f"{shown_store()} does not answer: {first_line(error)}") from None
        raise UserError(f"run {run_id!r} does not exist in {shown_store()}") from None


def find_run(run_id: str) -> Run | None:
    """Return a run by its id or runs:/ URI; None, if it is deleted or no longer there.

    Raises:
        StoreSilent: the store does not answer.
    """
    try:
        run = get_run(run_id)
    except StoreSilent:
        raise
    except UserError:
        return None
    return run if run.info.lifecycle_stage == LifecycleStage.ACTIVE else None


def shown_store() -> str:
    """Return the store's URI without the password that may be in it."""
    return masked(mlflow.get_tracking_uri())


def hide_credentials() -> None:
    """Give MLflow the user and password of a server's URI apart: it prints the URI at a run's end."""
    parts = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", unquote(parts.username or ""))
    os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", unquote(parts.password or ""))
    host = parts.netloc.rpartition("@")[2]
    os.environ["MLFLOW_TRACKING_URI"] = urlunsplit(parts._replace(netloc=host))
    # What was set in this process stands above the environment.
    if is_tracking_uri_set():
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])


def mask_tags(run: Run) -> None:
    """Take secrets out of a run's tags: MLflow keeps the URI of a Git remote with its token."""
    for name, value in run.data.tags.items():
        if masked(value) != value:
            MlflowClient().set_tag(run.info.run_id, name, masked(value))


def describe_run(text: str) -> None:
    """Have Markdown shown on the active run's page."""
    shown = text if len(text) <= LONGEST_TAG else text[:LONGEST_TAG].rpartition("\n\n")[0]
    mlflow.set_tag("mlflow.note.content", shown)


def log_scores(prefix: str, scores: Mapping[str, float], run_ids: Sequence[str]) -> None:
    """Log scores as <prefix>_<metric> to some runs."""
    metrics = [Metric(f"{prefix}_{name}", value, _now(), 0) for name, value in scores.items()]
    for run_id in run_ids:
        MlflowClient().log_batch(run_id, metrics=metrics)


def _now() -> int:
    return int(time.time() * 1000)
