"""How runs, times and figures are shown on the page."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mlflow.entities import Run


def score(value: float | None) -> str:
    """Return a score, or nothing where there is none."""
    return "" if value is None else f"{value:.4f}"


def moment(milliseconds: int) -> str:
    """Return a time of the store."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def took(run: Run) -> str:
    """Return how long a run took; nothing, while it goes on."""
    if run.info.end_time is None:
        return ""
    seconds = (run.info.end_time - run.info.start_time) / 1000
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def best_parameters(values: Mapping[str, str]) -> str:
    """Return the hyperparameters (or a vote's weights) among a run's parameters or a version's tags."""
    kept = {key.removeprefix("best_"): values[key] for key in sorted(values) if key.startswith("best_")}
    weights = {key: values[key] for key in sorted(values) if key.startswith("weight_")}
    return ", ".join(f"{key}={_number(value)}" for key, value in {**kept, **weights}.items())


def _number(text: str) -> str:
    """Return a number without digits that nobody reads; other text as it is."""
    try:
        return text if len(text) <= 6 else f"{float(text):.4g}"
    except ValueError:
        return text
