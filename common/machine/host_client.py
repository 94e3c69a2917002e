"""A step's command that leaves its work to a fork of the host, if there is one (see `step_host`).

It is imported before anything else, hence alone.
"""

import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

# Where a process finds the socket, in its environment.
HOST = "INCOME_STEP_HOST"
SIZE = struct.Struct("!I")
STREAMS = 3
INTERRUPT = b"i"
# What a fork says first, and after it the command's exit code.
TAKEN = b"t"


def hand_over() -> None:
    """If this process is `python -m MODULE` and a host takes it, exit as the host's fork does."""
    words = sys.orig_argv
    # Nothing that the step starts itself is meant.
    path = os.environ.pop(HOST, None)
    if path is None or "-m" not in words:
        return
    place = words.index("-m") + 1
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return
    asked = {
        "module": words[place],
        "words": words[place + 1 :],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "nice": os.nice(0),
    }
    with connection:
        if _is_taken(connection, json.dumps(asked).encode()):
            os._exit(_wait(connection))


def _is_taken(connection: socket.socket, asked: bytes) -> bool:
    try:
        socket.send_fds(connection, [SIZE.pack(len(asked))], range(STREAMS))
        connection.sendall(asked)
        return connection.recv(1) == TAKEN
    except OSError:
        return False


def _wait(connection: socket.socket) -> int:
    """Return the exit code, once the fork has ended; it says none only if it is killed."""

    def interrupt(*_: Any) -> None:
        with suppress(OSError):
            connection.sendall(INTERRUPT)

    signal.signal(signal.SIGINT, interrupt)
    code = 1
    while said := connection.recv(1):
        code = said[0]
    return code
