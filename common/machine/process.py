"""Identify a process and tell whether it has ended; certain only on the machine that it runs on.

Process ids are reused, and each container has its own. Together with the boot id, the PID namespace and
the start time of the process, an id is unique for all time.
"""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def this_process() -> str:
    """Return an identifier of this process that is unique across machines."""
    return f"{_place() or uuid.uuid4()}/{os.getpid()}/{_start(os.getpid()) or 0}"


def is_gone(process: str) -> bool | None:
    """Tell whether a process has ended; None if it runs on another machine or container, or is hidden."""
    place, pid, start = process.rsplit("/", 2)
    if place != _place():
        return None
    if not psutil.pid_exists(int(pid)):
        return True
    started = _start(int(pid))
    # Process ids are reused: the same id with another start time is another process.
    return None if started is None else started != start


def is_in_background() -> bool:
    """Tell whether this process leaves the processor to others."""
    return os.getpriority(os.PRIO_PROCESS, 0) > 0


def _place() -> str | None:
    """Return the boot id, host name and PID namespace; None on systems that do not have them.

    Virtual machines restored from one snapshot share a boot id: their host names tell them apart.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


def _start(pid: int) -> str | None:
    """Return a process's start time in ticks, or `ended` for a zombie; None if it does not exist."""
    try:
        # The process name is in parentheses and may contain any character.
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        )
    except OSError:
        return None
    state, start = fields.split()[0], fields.split()[19]
    return "ended" if state in ("Z", "X") else start


@contextmanager
def offered(name: str, value: str) -> Iterator[None]:
    """Let the processes that are started meanwhile find a value in their environment."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
