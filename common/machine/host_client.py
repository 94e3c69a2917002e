"""A step's command that leaves its work to a fork of the host, if there is one (see `step_host`).

It is imported before anything else, hence alone.
"""

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# Where a process finds the socket, in its environment.
HOST = "INCOME_STEP_HOST"
SIZE = struct.Struct("!I")
STREAMS = 3
INTERRUPT, TERMINATE = b"i", b"e"
# What a fork says first, and after it the command's exit code.
TAKEN = b"t"
# Seconds after which a host is not waited for.
PATIENCE = 20


def hand_over() -> None:
    """If this process is `python -m MODULE` and a host takes it, exit as the host's fork does."""
    # Nothing that the step starts itself is meant.
    path = os.environ.pop(HOST, None)
    if path is None or sys.orig_argv[1:2] != ["-m"]:
        return
    # From the words to the exit code, an interruption is the fork's: between the two it would kill it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with socket.socket(socket.AF_UNIX) as connection:
        if _is_taken(connection, path):
            os._exit(_wait(connection))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _is_taken(connection: socket.socket, path: str) -> bool:
    asked = {
        "module": sys.orig_argv[2],
        "words": sys.orig_argv[3:],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "nice": os.nice(0),
    }
    text = json.dumps(asked).encode()
    connection.settimeout(PATIENCE)
    try:
        connection.connect(path)
        socket.send_fds(connection, [SIZE.pack(len(text))], range(STREAMS))
        connection.sendall(text)
        taken = connection.recv(1) == TAKEN
    except OSError:
        return False
    connection.settimeout(None)
    return taken


def _wait(connection: socket.socket) -> int:
    """Return the exit code, once the fork has ended."""

    def say(word: bytes) -> Callable[..., None]:
        def send(*_: Any) -> None:
            with suppress(OSError):
                connection.sendall(word)

        return send

    signal.signal(signal.SIGINT, say(INTERRUPT))
    # MLflow terminates what it runs as soon as it is interrupted itself: the fork is to end in order.
    signal.signal(signal.SIGTERM, say(TERMINATE))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # The fork has no terminal that could be closed.
        signal.signal(signal.SIGHUP, say(TERMINATE))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    code = connection.recv(1)
    return code[0] if code else 1
