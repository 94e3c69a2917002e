"""A file that appears whole or not at all, whoever else writes one of its name at the same time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, of the same name; on success that file takes the place of `path`.

    What was there stays until then, and if nothing was written, or on failure. The folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own beside it: the same file system, and a file with the user's usual rights.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".", suffix=".part") as folder:
        part = Path(folder, path.name)
        yield part
        if part.exists():
            part.replace(path)
