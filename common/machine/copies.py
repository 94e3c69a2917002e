"""Local copies of remote artifacts: one per process and URI, removed when the process ends.

A process that is killed cannot remove its copies. Each process holds a lock on its folder, so the next
process can tell that the owner is gone and remove the folder.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock

PREFIX, LOCK = "income-", "lock"

_lock = RLock()
_folder: Path | None = None
_held = -1
_known: dict[str, str] = {}
_elsewhere: list[Callable[[], None]] = []


def new_folder() -> Path:
    """Create an empty folder that exists until `remove_copies` is called or this process ends."""
    global _folder, _held
    with _lock:
        if _folder is None:
            _remove_left()
            _folder, _held = _make_held()
        return Path(tempfile.mkdtemp(dir=_folder))


def lasting_folder() -> Path:
    """Create an empty folder that exists until this process ends, `remove_copies` or not."""
    _remove_left()
    folder, _ = _make_held()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _make_held() -> tuple[Path, int]:
    """Create a folder with a lock held by this process, and by the service that it may exec into."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR)
        os.set_inheritable(held, True)
        fcntl.flock(held, fcntl.LOCK_SH)
        # Before the lock was held, another process may have removed the folder as abandoned.
        if folder.is_dir():
            return folder, held
        os.close(held)


def _remove_left() -> None:
    """Remove the folders that killed processes of this user left behind."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


def copy_once(uri: str, fetch: Callable[[Path], str]) -> str:
    """Return the location of the copy of a URI; make the copy on the first call.

    Args:
        uri: The URI of something that does not change.
        fetch: A function that copies it into the given folder and returns the copy's location.
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


def is_copy(path: Path) -> bool:
    """Tell whether a path is one of the copies of this process, which are removed when it ends."""
    return _folder is not None and path.is_relative_to(_folder)


def at_removal(remove: Callable[[], None]) -> None:
    """Register a function that removes something elsewhere with the copies; its errors are ignored."""
    with _lock:
        _elsewhere.append(remove)


@atexit.register
def remove_copies() -> None:
    """Remove all copies of this process; later requests copy again."""
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
