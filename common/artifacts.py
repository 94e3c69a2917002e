"""What a run has left, for readers who can do without it."""

from pathlib import Path

from common import tracking
from common.errors import UserError


def find_text(run_id: str, path: str) -> str | None:
    """Return a text artifact; None, if the run has none of that name (any more)."""
    try:
        return tracking.read_text(f"runs:/{run_id}/{path}")
    except UserError:
        return None


def find_files(run_id: str, folder: str, pattern: str) -> dict[str, bytes]:
    """Return the files of a folder of artifacts, by name; of no folder, none.

    Args:
        run_id: whose they are.
        folder: among the run's artifacts.
        pattern: of their names, as *.png.
    """
    try:
        found = Path(tracking.fetch(f"runs:/{run_id}/{folder}"))
    except UserError:
        return {}
    return {file.name: file.read_bytes() for file in sorted(found.glob(pattern))}
