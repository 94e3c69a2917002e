"""Copies on this machine of what a store keeps elsewhere: one a process and URI, gone at the end."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

_lock = RLock()
_folder: Path | None = None
_known: dict[str, str] = {}
_elsewhere: list[Callable[[], None]] = []


def new_folder() -> Path:
    """Make an empty folder that lasts until `remove_copies`, or as long as this process."""
    global _folder
    with _lock:
        if _folder is None:
            _folder = Path(tempfile.mkdtemp(prefix="income-"))
        return Path(tempfile.mkdtemp(dir=_folder))


def copy_once(uri: str, fetch: Callable[[Path], str]) -> str:
    """Return where a copy of what is at a URI is, made when it is first asked for.

    Args:
        uri: of something that does not change.
        fetch: copies it into the folder that it is given, and returns the copy's place.
    """
    with _lock:
        if uri not in _known:
            folder = new_folder()
            try:
                _known[uri] = fetch(folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return _known[uri]


@contextmanager
def temporary_files_here() -> Iterator[None]:
    """Have what a library meanwhile leaves in the temporary folder removed with the copies.

    It is so for the whole process: nothing else may go on beside.
    """
    before = tempfile.tempdir
    tempfile.tempdir = str(new_folder())
    try:
        yield
    finally:
        tempfile.tempdir = before


def at_removal(remove: Callable[[], None]) -> None:
    """Have something that lies elsewhere removed with the copies; where that fails, it stays."""
    with _lock:
        _elsewhere.append(remove)


@atexit.register
def remove_copies() -> None:
    """Remove all copies of this process; what is asked for later is copied anew."""
    global _folder
    with _lock:
        _known.clear()
        while _elsewhere:
            with suppress(Exception):
                _elsewhere.pop()()
        if _folder is not None:
            shutil.rmtree(_folder, ignore_errors=True)
        _folder = None
