"""What a run has left, for readers who can do without it."""

from pathlib import Path

from common.store import tracking


def find_text(run_id: str, path: str) -> str | None:
    """Return a text artifact; None, if the run has none of that name (any more).

    Raises:
        StoreSilent: its store does not answer.
    """
    return (
        tracking.read_text(f"runs:/{run_id}/{path}") if tracking.has_artifacts(run_id, [path]) else None
    )


def find_files(run_id: str, folder: str, pattern: str) -> dict[str, bytes]:
    """Return the files of a folder of artifacts, by name; of no folder, none.

    Args:
        run_id: whose they are.
        folder: among the run's artifacts.
        pattern: of their names, as *.png.

    Raises:
        StoreSilent: its store does not answer.
    """
    if not tracking.has_artifacts(run_id, [folder]):
        return {}
    found = Path(tracking.fetch(f"runs:/{run_id}/{folder}"))
    return {file.name: file.read_bytes() for file in sorted(found.glob(pattern))}
