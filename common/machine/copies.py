"""Copies on this machine of what a store keeps elsewhere: one a process and URI, gone at the end.

A process that is killed cannot remove its own. It holds a lock, by which the next one sees that it is
gone.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

PREFIX, LOCK = "income-", "lock"

_lock = RLock()
_folder: Path | None = None
_held = -1
_known: dict[str, str] = {}
_elsewhere: list[Callable[[], None]] = []


def new_folder() -> Path:
    """Make an empty folder that lasts until `remove_copies`, or as long as this process."""
    global _folder, _held
    with _lock:
        if _folder is None:
            _remove_left()
            _folder, _held = _make_held()
        return Path(tempfile.mkdtemp(dir=_folder))


def _make_held() -> tuple[Path, int]:
    """Make a folder, with a lock that this process holds, and what it turns into: a service."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR)
        os.set_inheritable(held, True)
        fcntl.flock(held, fcntl.LOCK_SH)
        # Between the two lines before, another process may have taken it for one that was left.
        if folder.is_dir():
            return folder, held
        os.close(held)


def _remove_left() -> None:
    """Remove what killed processes of this user have left."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


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
            os.close(_held)
        _folder = None
