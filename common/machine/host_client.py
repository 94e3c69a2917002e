"""A step's command that leaves its work to a fork of the host, if there is one (see `step_host`).

It is imported before anything else, hence alone.
"""

import json
import os
import signal
import socket
import struct
import sys
from typing import Any

# Where a process finds the socket, in its environment.
HOST = "INCOME_STEP_HOST"
SIZE = struct.Struct("!I")
STREAMS = 3
INTERRUPT = b"i"


def hand_over() -> None:
    """If this process is `python -m MODULE` and a host listens, have that run it, and exit as it does."""
    words = sys.orig_argv
    path = os.environ.get(HOST)
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
    text = json.dumps(asked).encode()
    socket.send_fds(connection, [SIZE.pack(len(text))], range(STREAMS))
    connection.sendall(text)
    os._exit(_wait(connection))


def _wait(connection: socket.socket) -> int:
    """Return the exit code, once the fork has ended; it ends without one only if it is killed."""

    def interrupt(*_: Any) -> None:
        connection.sendall(INTERRUPT)

    signal.signal(signal.SIGINT, interrupt)
    code = 1
    while said := connection.recv(1):
        code = said[0]
    return code
