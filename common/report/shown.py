"""Formatting of runs, times and figures for the report."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mlflow.entities import Run

from common.learning.metrics import shown_score
from common.store.liveness import KILLED

# By the status of a run.
UNFINISHED = {"FAILED": "failed", KILLED: "was killed"}


def score(metric: str, value: float | None) -> str:
    """Format a score; empty if there is none."""
    return "" if value is None else shown_score(metric, value)


def moment(milliseconds: int) -> str:
    """Format a timestamp.

    Args:
        milliseconds: Milliseconds since the epoch, as MLflow stores times.
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def took(run: Run) -> str:
    """Format the duration of a run; empty while it is running, or if the clock was set back meanwhile.

    Empty also for one that was killed: its end is when another run noticed, maybe days later.
    """
    if run.info.status == KILLED:
        return ""
    if run.info.end_time is None or run.info.end_time < run.info.start_time:
        return ""
    seconds = round((run.info.end_time - run.info.start_time) / 1000)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


def ended(run: Run) -> str:
    """Return how a run ended that did not finish; empty if it finished, or is running."""
    return UNFINISHED.get(run.info.status, "")


def best_parameters(values: Mapping[str, str]) -> str:
    """Format the best hyperparameters, or a vote's weights.

    Args:
        values: The parameters of a search's run, or the tags of a version.
    """
    kept = {key.removeprefix("best_"): values[key] for key in sorted(values) if key.startswith("best_")}
    weights = {key: values[key] for key in sorted(values) if key.startswith("weight_")}
    return ", ".join(f"{key}={_number(value)}" for key, value in {**kept, **weights}.items())


def _number(text: str) -> str:
    """Shorten a number to four significant digits; return other text unchanged."""
    try:
        return text if len(text) <= 6 else f"{float(text):.4g}"
    except ValueError:
        return text
