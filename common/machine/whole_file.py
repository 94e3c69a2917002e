"""Atomic writes of a local file, safe against other writers of the same path."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path with the same name to write to; on success it replaces `path`.

    An existing file stays until then. It also stays on failure, and if nothing was written. The parent
    folder is created if needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A sibling folder is on the same file system, and its files get the user's default permissions.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".", suffix=".part") as folder:
        part = Path(folder, path.name)
        yield part
        if part.exists():
            part.replace(path)


def can_be_written(path: Path) -> bool:
    """Return whether a file can be made at a path, whose folder is created if needed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            return True
    except OSError:
        return False
