"""Runs in MLflow's tracking store: find them, tag them, and tell a silent store from an empty one."""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, takewhile
from urllib.parse import unquote, urlsplit, urlunsplit

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Metric, Run
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    ENDPOINT_NOT_FOUND,
    INVALID_PARAMETER_VALUE,
    PERMISSION_DENIED,
    RESOURCE_DOES_NOT_EXIST,
    TEMPORARILY_UNAVAILABLE,
    UNAUTHENTICATED,
    ErrorCode,
)
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.tracking import is_tracking_uri_set
from sqlalchemy.exc import InterfaceError, OperationalError

from common.errors import UserError, first_line
from common.machine.process import offered
from common.machine.secrets import masked

# Tags that identify runs.
STEP, KEY, INPUT = "workflow.step", "workflow.key", "workflow.input."
# On a run below a search: the run id of that search.
SEARCH = "workflow.search"
# MLflow's tag for the run id of the parent.
PARENT = "mlflow.parentRunId"
# Prefix of metrics of a winner's predictions at its threshold, for rows that it was not fitted on.
AT_THRESHOLD = "at_threshold"
# On a run that used Spark: the id of its application.
APPLICATION = "spark.application"

# Its progress bar counts single small files.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

# MLflow logs every table, run, file and version that it creates; steps print what the user needs of that.
# Environment variables pass the setting on to the commands that a step starts.
logging.getLogger("mlflow").setLevel(logging.WARNING)
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

# More runs than any store holds.
ALL = 10**9

# MLflow cuts longer tags without a warning.
LONGEST_TAG = 8000

# MLflow's words for the page of a login or of another service, which its message contains.
NO_JSON = "not in a valid JSON format"
LONGEST_ANSWER = 300
# Its words for a run or an experiment that was deleted while something goes on in it.
DELETED = ("Current state is deleted", "in the deleted state")
# The codes of an error that says of a run that it is not there.
GONE = [ErrorCode.Name(code) for code in (RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE)]


# Where nothing answers these take some twenty seconds at most, with MLflow's pauses between them.
BRIEFLY = {MLFLOW_HTTP_REQUEST_MAX_RETRIES: "2", MLFLOW_HTTP_REQUEST_TIMEOUT: "5"}


class StoreSilent(UserError):
    """A store did not answer, so its contents are unknown."""


def list_tags(name: str, items: Iterable[str]) -> dict[str, str]:
    """Return a list as tags: `name`, and `name.1`, `name.2`, ... if one is too short. See `listed`."""
    parts = [""]
    for item in items:
        longer = f"{parts[-1]},{item}" if parts[-1] else item
        if len(longer) <= LONGEST_TAG:
            parts[-1] = longer
        else:
            parts.append(item)
    return {f"{name}.{place}" if place else name: part for place, part in enumerate(parts)}


def listed(tags: Mapping[str, str], name: str) -> list[str]:
    """Return the list that `list_tags` stored in tags; an empty list if there is none."""
    names = takewhile(tags.__contains__, (f"{name}.{place}" if place else name for place in count()))
    return [item for part in names for item in tags[part].split(",") if item]


def find_finished(tags: Mapping[str, str], experiment_id: str, most: int | None = 1) -> list[Run]:
    """Return the newest finished runs with all these tags; every one of them if `most` is None."""
    return find_runs(tags, experiment_id, "FINISHED", most)


def find_runs(
    tags: Mapping[str, str], experiment_id: str, status: str, most: int | None = None
) -> list[Run]:
    """Return the newest runs with a status and all these tags, by one indexed query per page."""
    clauses = [f"tags.`{name}` {_equals(value)}" for name, value in tags.items()]
    query = " and ".join([*clauses, f"attributes.status = '{status}'"])
    exact = not any("'" in value and '"' in value for value in tags.values())
    found = search(experiment_id, query, most if exact else None)
    return found if exact else [run for run in found if tags.items() <= run.data.tags.items()][:most]


def _equals(value: str) -> str:
    """Return the comparison with a value. Literals have no escapes, so both quotes together need LIKE."""
    if "'" in value and '"' in value:
        return "LIKE '{}'".format(value.replace("'", "_"))
    quote = '"' if "'" in value else "'"
    return f"= {quote}{value}{quote}"


def search(experiment_id: str, query: str, most: int | None = None) -> list[Run]:
    """Return the runs that match an MLflow query, newest first: all of them, or at most `most`."""
    return list(
        mlflow.search_runs(
            [experiment_id],
            filter_string=query,
            order_by=["attributes.start_time DESC"],
            max_results=ALL if most is None else most,
            output_format="list",
        )
    )


@contextmanager
def asked_briefly() -> Iterator[None]:
    """Ask a silent server for seconds meanwhile: MLflow would for minutes, each time."""
    with ExitStack() as brief:
        for variable, value in BRIEFLY.items():
            if not variable.is_set():
                brief.enter_context(offered(variable.name, value))
        yield


def is_silence(error: BaseException | None) -> bool:
    """Tell whether an MLflow error means that the tracking store could not be reached."""
    while error is not None:
        if isinstance(error, (requests.RequestException, OperationalError, InterfaceError)):
            return True
        if getattr(error, "error_code", "") == ErrorCode.Name(TEMPORARILY_UNAVAILABLE):
            return True
        error = error.__cause__ or error.__context__
    return False


def no_answer(error: MlflowException) -> str | None:
    """Return in one line why a store gives no answer, or takes none; None if an error may be of ours."""
    store, said = shown_store(), first_line(error)
    if is_silence(error):
        return f"{store} does not answer: {said}"
    # It may have a page in it.
    said = said[:LONGEST_ANSWER]
    if error.error_code == ErrorCode.Name(UNAUTHENTICATED):
        return (
            f"{store} does not know you: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN, to those of one of its users"
        )
    if error.error_code == ErrorCode.Name(PERMISSION_DENIED):
        return f"{store} does not allow it: {said}"
    if any(words in said for words in DELETED):
        return (
            f"what this command writes to in {store} was deleted: {said.rstrip('.')}; "
            "`mlflow experiments restore --experiment-id` or `mlflow runs restore --run-id` brings it "
            "back; then give the same command again"
        )
    if error.error_code == ErrorCode.Name(ENDPOINT_NOT_FOUND) or NO_JSON in said:
        return other_server(said)
    return None


def other_server(said: str) -> str:
    """Return in one line that what answers is no server of MLflow, and what it has said."""
    return (
        f"{shown_store()} does not answer as a server of MLflow does: {said}; give all of its address in "
        "MLFLOW_TRACKING_URI, with the path if it has one"
    )


def get_run(uri: str) -> Run:
    """Return a run by its id or runs:/ URI.

    Raises:
        UserError: There is no such run.
        StoreSilent: The store does not answer.
    """
    run_id = uri.removeprefix("runs:/")
    try:
        run = mlflow.get_run(run_id)
    except MlflowException as error:
        if error.error_code in GONE:
            raise UserError(f"run {run_id!r} does not exist in {shown_store()}") from None
        # A gateway's refusal in JSON has no code of MLflow's.
        raise StoreSilent(no_answer(error) or other_server(first_line(error)[:LONGEST_ANSWER])) from None
    if run.info.run_id != run_id:
        raise StoreSilent(other_server("its run has another id"))
    return run


def find_run(run_id: str) -> Run | None:
    """Return a run by its id or runs:/ URI; None if it was deleted or purged.

    Raises:
        StoreSilent: The store does not answer.
    """
    try:
        run = get_run(run_id)
    except StoreSilent:
        raise
    except UserError:
        return None
    return run if run.info.lifecycle_stage == LifecycleStage.ACTIVE else None


def shown_store() -> str:
    """Return the URI of the store, with any password masked."""
    return masked(mlflow.get_tracking_uri())


def is_database() -> bool:
    """Tell whether MLflow itself opens the store, as a database; elsewhere a server does."""
    return urlsplit(mlflow.get_tracking_uri()).scheme.partition("+")[0] in DATABASE_ENGINES


def hide_credentials() -> None:
    """Pass the credentials in a server's URI to MLflow separately: it prints the URI after each run."""
    parts = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", unquote(parts.username or ""))
    os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", unquote(parts.password or ""))
    host = parts.netloc.rpartition("@")[2]
    os.environ["MLFLOW_TRACKING_URI"] = urlunsplit(parts._replace(netloc=host))
    # A URI that was set in this process overrides the environment.
    if is_tracking_uri_set():
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])


def decode_store() -> None:
    """Name a store in SQLite by its path as it is: MLflow makes its folder without decoding the URI."""
    uri = mlflow.get_tracking_uri()
    plain = unquote(uri)
    # In a URI these have a meaning.
    if not uri.startswith("sqlite:///") or plain == uri or any(mark in plain for mark in "%?#"):
        return
    os.environ["MLFLOW_TRACKING_URI"] = plain
    if is_tracking_uri_set():
        mlflow.set_tracking_uri(plain)


def mask_tags(run: Run) -> None:
    """Mask secrets in the tags of a run: MLflow tags the URI of the Git remote, with its token."""
    for name, value in run.data.tags.items():
        if masked(value) != value:
            MlflowClient().set_tag(run.info.run_id, name, masked(value))


def describe_run(text: str) -> None:
    """Show Markdown on the page of the active run."""
    shown = text if len(text) <= LONGEST_TAG else text[:LONGEST_TAG].rpartition("\n\n")[0]
    mlflow.set_tag("mlflow.note.content", shown)


def log_scores(prefix: str, scores: Mapping[str, float], run_ids: Sequence[str]) -> None:
    """Log scores as <prefix>_<metric> to each of the runs."""
    metrics = [Metric(f"{prefix}_{name}", value, _now(), 0) for name, value in scores.items()]
    for run_id in run_ids:
        MlflowClient().log_batch(run_id, metrics=metrics)


def _now() -> int:
    return int(time.time() * 1000)
