"""A process that has imported what steps need, and forks for each one that is to run.

Importing MLflow, pandas and PySpark takes a step two to four seconds of a core, as long as many a step
works. A process that starts several starts a host beside the first. Each later command finds the host's
socket in its environment, and sends it its words, variables, folder and streams. A fork of the host is
then the step, and the command waits for its end. A fork ends if its command is killed, and the host ends
with the process that started it, whose pipe it reads.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from common import ROOT
from common.machine import copies
from common.machine.host_client import HOST, INTERRUPT, SIZE, STREAMS, TAKEN


class StepHost:
    """The host of the steps that this process starts."""

    def __init__(self, modules: Sequence[str]) -> None:
        """Start it.

        Args:
            modules: What to import.
        """
        self.path = copies.lasting_folder() / "host"
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.path), *modules],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A terminal interrupts commands, and these their steps.
            start_new_session=True,
        )

    def wait(self) -> None:
        """Wait until it has imported all, or has failed to."""
        assert self.process.stdout is not None
        self.process.stdout.read()

    @contextmanager
    def offered(self) -> Iterator[None]:
        """Let the processes that are started meanwhile find the host, if it has imported all."""
        if not self.path.exists() or self.process.poll() is not None:
            yield
            return
        os.environ[HOST] = str(self.path)
        try:
            yield
        finally:
            del os.environ[HOST]

    def close(self) -> None:
        """End the host; steps that run go on."""
        self.process.communicate()


def serve(path: Path, modules: Sequence[str]) -> socket.socket | None:
    """Import modules, and fork for each connection.

    Returns:
        The connection to a command, in a fork; None in the host, when its input has ended.
    """
    for module in modules:
        importlib.import_module(module)
    # Spares the forks to look through what was imported, each time that they look for garbage.
    gc.freeze()
    # Ended forks are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        # A file that is there is a host that listens.
        part = path.with_suffix(".part")
        listener.bind(str(part))
        listener.listen()
        part.rename(path)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            connection, _ = listener.accept()
            if os.fork() == 0:
                return connection
            connection.close()


def run(connection: socket.socket) -> NoReturn:
    """Be the step that a command asks for: with its words, variables, folder, priority and streams."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Linux may schedule by session before priority counts.
    os.setsid()
    head, streams, _, _ = socket.recv_fds(connection, SIZE.size, STREAMS)
    asked = json.loads(_exactly(connection, SIZE.unpack(head)[0]))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for stream_of in (sys.stdout, sys.stderr):
        stream_of.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    _lower(asked["nice"])
    with suppress(OSError):
        # What `top` shows; the words stay the host's.
        Path("/proc/self/comm").write_text(asked["module"].rpartition(".")[2])
    connection.sendall(TAKEN)
    threading.Thread(target=_watch, args=(connection,), daemon=True).start()
    code = _called(asked["module"], asked["words"])
    for stream_of in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream_of.flush()
    with suppress(OSError):
        connection.sendall(bytes([code & 0xFF]))
    sys.exit(code)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            os._exit(1)
        found += part
    return found


def _lower(nice: int) -> None:
    """Take a command's priority over."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        Path("/proc/self/autogroup").write_text(str(nice))


def _watch(connection: socket.socket) -> None:
    """Interrupt this process when its command is, and end it when its command has."""
    while said := connection.recv(1):
        if said == INTERRUPT:
            os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGKILL)


def _called(module: str, words: Sequence[str]) -> int:
    """Run a module as `python -m` does, and return its exit code."""
    sys.argv = [module, *words]
    # It is run once more as the main module, with all that it imports at hand.
    sys.modules.pop(module, None)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BaseException:
        kind, error_, trace = sys.exc_info()
        assert kind is not None
        assert error_ is not None
        sys.excepthook(kind, error_, trace)
        return 1
    return 0


if __name__ == "__main__":
    asking = serve(Path(sys.argv[1]), sys.argv[2:])
    if asking is not None:
        run(asking)
