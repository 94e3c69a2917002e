"""Which process it was, and whether it has ended: known for certain on its own machine, and only there.

A process id is given again, and is another's in each container. With the boot, the namespace of process
ids and the start of the process it is one of all that ever were.
"""

import os
import socket
import uuid
from pathlib import Path

import psutil


def this_process() -> str:
    """Return what tells this process from any other, on all machines."""
    return f"{_place() or uuid.uuid4()}/{os.getpid()}/{_start(os.getpid()) or 0}"


def is_gone(process: str) -> bool | None:
    """Tell whether a process has ended; None: it is of another machine or container, or not seen."""
    place, pid, start = process.rsplit("/", 2)
    if place != _place():
        return None
    if not psutil.pid_exists(int(pid)):
        return True
    started = _start(int(pid))
    # A number is given again: only with its start is it the same process.
    return None if started is None else started != start


def _place() -> str | None:
    """Return this boot, host and namespace of process ids; None where the system has no such things.

    Virtual machines that were restored from one snapshot have one boot: their hosts' names part them.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


def _start(pid: int) -> str | None:
    """Return when a process started, in ticks; `ended`, if its parent has only not asked for it yet."""
    try:
        # Its name, which may hold anything, is in brackets.
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        )
    except OSError:
        return None
    state, start = fields.split()[0], fields.split()[19]
    return "ended" if state in ("Z", "X") else start
