"""A process that has imported what steps need, and forks for each one that is to run.

Importing MLflow, pandas and PySpark takes a step two to four seconds of a core, as long as many a step
works. A process that starts several begins a host first, or beside the first. Each later command finds
the host's socket in its environment, and sends it its words, variables, folder and streams. A fork of the
host is then the step, and what it starts itself finds the same host. A second one stands between the two:
it ends the step when the command is killed, and tells the command how the step has ended. The host ends
with the process that started it, whose pipe it reads.
"""

import gc
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from common import ROOT
from common.machine import copies
from common.machine.code import code_state
from common.machine.host_client import HOST, INTERRUPT, SIZE, STREAMS, TAKEN, TERMINATE
from common.machine.process import offered

log = logging.getLogger(__name__)

# What a host of the workflow's steps imports.
STEPS = "steps.hosted"
# Seconds in which a step whose command is terminated may end by itself; main waits for its steps.
ENDING, MAIN_ENDING = 5, 12
MAIN = "steps.main"
AHEAD = "ahead"
# Seconds that the first command may take to come, while MLflow reads what it is to run.
COMING = 5
HOSTS = "common.machine.step_host"


class StepHost:
    """The host of the steps that this process starts."""

    def __init__(self, modules: Sequence[str], listens_first: bool = False) -> None:
        """Start it.

        Args:
            modules: What to import.
            listens_first: Whether it listens before it imports them, so that commands wait for it.
        """
        self.path = copies.lasting_folder() / "host"
        self.is_late = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", HOSTS, str(self.path), AHEAD if listens_first else "", *modules],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A terminal interrupts commands, and these their steps.
            start_new_session=True,
        )

    def offered(self, patience: float = 0) -> AbstractContextManager[None]:
        """Let the processes that are started meanwhile find the host, if it has imported all.

        Args:
            patience: Seconds to wait for that.
        """
        assert self.process.stdout is not None, "it has a pipe"
        # Its output ends then. One that took too long is not waited for again.
        if not self.is_late:
            self.is_late = not select.select([self.process.stdout], [], [], patience)[0] and patience > 0
        listens = self.path.exists() and self.process.poll() is None
        return offered(HOST, str(self.path)) if listens else nullcontext()


class OwnHost:
    """The host that this process is a fork of."""

    def __init__(self, path: Path) -> None:
        """Know it.

        Args:
            path: Its socket.
        """
        self.path = path

    def offered(self, patience: float = 0) -> AbstractContextManager[None]:
        """Let the processes that are started meanwhile find the host; it has imported all."""
        return offered(HOST, str(self.path)) if self.path.exists() else nullcontext()


_begun: StepHost | OwnHost | None = None


def begin(listens_first: bool = False) -> StepHost | None:
    """Start a host of the workflow's steps for this process; None if there can be none.

    Args:
        listens_first: Whether it listens before it has imported them, so that commands wait for it.
    """
    global _begun
    # Elsewhere a fork may not use what its parent has loaded, such as macOS's frameworks.
    if sys.platform == "linux":
        try:
            _begun = started = StepHost([STEPS], listens_first)
            return started
        except OSError as error:
            log.debug("steps start without a host: %s", error)
    return None


def of_this_process() -> StepHost | OwnHost | None:
    """Return the host that was begun, or that this process is a fork of."""
    return _begun


def adopt(path: Path) -> None:
    """Know the host that this process is a fork of, by its socket."""
    global _begun
    _begun = OwnHost(path)


def serve(
    path: Path, modules: Sequence[str], listens_first: bool = False
) -> tuple[socket.socket, Mapping[str, str]] | None:
    """Import modules, and fork for each connection.

    Args:
        path: The socket.
        modules: What to import.
        listens_first: Whether to listen before. The first command does not wait for what may be imported
            later, further ones do.

    Returns:
        In a fork the connection to a command, and the variables that the modules have set; None in the
        host, when its input has ended or the project's code is no longer what it has imported.
    """
    # Linux has it since 5.3.
    os.close(os.pidfd_open(os.getpid()))
    code, before = code_state(), dict(os.environ)

    def set_() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if before.get(name) != value}

    with socket.socket(socket.AF_UNIX) as listener:
        # A file that is there says that the host listens.
        part = path.with_suffix(".part")
        listener.bind(str(part))
        listener.listen()
        if listens_first:
            part.rename(path)
        later = [name for module in modules for name in _import(module)]
        if listens_first and select.select([listener, sys.stdin], [], [], COMING)[0] == [listener]:
            # Main starts the others: it goes ahead, and they wait for all that is imported.
            connection = _fork_for(listener)
            if connection:
                return connection, set_()
        for module in later:
            importlib.import_module(module)
        # Spares the forks to look through what was imported, each time that they look for garbage.
        gc.freeze()
        # Ended forks are nobody's to wait for.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        if not path.exists():
            part.rename(path)
        # So does the end of its output.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready or code_state() != code:
                return None
            connection = _fork_for(listener)
            if connection:
                return connection, set_()


def _import(module: str) -> Sequence[str]:
    """Import a module and those that it lists as FIRST, and return those that it lists as LATER."""
    found = importlib.import_module(module)
    for name in getattr(found, "FIRST", ()):
        importlib.import_module(name)
    later: Sequence[str] = getattr(found, "LATER", ())
    return later


def _fork_for(listener: socket.socket) -> socket.socket | None:
    """Return, in a fork, the connection to a command; None in this process."""
    connection, _ = listener.accept()
    if os.fork() == 0:
        return connection
    connection.close()
    return None


def take(connection: socket.socket, variables: Mapping[str, str], path: Path) -> None:
    """Take what a command asks for; a fork does it, and this process waits for that and exits.

    Args:
        connection: The connection to the command.
        variables: What to set in the environment beside the command's variables.
        path: The host's socket.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(connection, SIZE.size, STREAMS)
    size = SIZE.unpack(head)[0]
    asked = json.loads(connection.recv(size, socket.MSG_WAITALL))
    connection.sendall(TAKEN)
    step = os.fork()
    if step:
        for stream in streams:
            os.close(stream)
        os._exit(_supervise(step, connection, MAIN_ENDING if asked["module"] == MAIN else ENDING))
    connection.close()
    _become(asked, streams, variables)
    # Not this module, which is the main one.
    importlib.import_module(HOSTS).adopt(path)
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


def _supervise(step: int, connection: socket.socket, ending: float) -> int:
    """Pass a command's signals on to its step, and tell the command the step's exit code.

    Args:
        step: The step's process.
        connection: The connection to the command.
        ending: Seconds in which the step may end by itself if the command is terminated.
    """
    ended = os.pidfd_open(step)
    either: list[Any] = [connection, ended]
    is_interrupted, patience = False, None
    while ended not in (ready := select.select(either, [], [], patience)[0]):
        said = _said(connection) if ready else b""
        if not said:
            os.kill(step, signal.SIGKILL)
            break
        # Terminated after an interruption, a step is left to end in order.
        if said == INTERRUPT or not is_interrupted:
            _interrupt(step)
        is_interrupted, patience = True, ending if said == TERMINATE else patience
    code = os.waitstatus_to_exitcode(os.waitpid(step, 0)[1])
    with suppress(OSError):
        # As a shell, which has no negative codes.
        connection.sendall(bytes([code if code >= 0 else 128 - code]))
    return 0


def _interrupt(step: int) -> None:
    """Interrupt a step and what it has started, as a terminal does: it leads a group of its own."""
    try:
        os.killpg(step, signal.SIGINT)
    except ProcessLookupError:
        # It has not come to that yet.
        os.kill(step, signal.SIGINT)


def _said(connection: socket.socket) -> bytes:
    """Return what a command says; nothing when it has ended, be it before it has read an answer."""
    with suppress(OSError):
        return connection.recv(1)
    return b""


def _become(asked: Mapping[str, Any], streams: Sequence[int], variables: Mapping[str, str]) -> None:
    """Take over a command's words, variables, folder, priority and streams."""
    # Linux may schedule by session before priority counts.
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for stream_of in (sys.stdout, sys.stderr):
        stream_of.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update({**asked["environment"], **variables})
    os.chdir(asked["folder"])
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, asked["nice"])
        Path("/proc/self/autogroup").write_text(str(asked["nice"]))
    with suppress(OSError):
        # What `top` shows; the words stay the host's.
        Path("/proc/self/comm").write_text(asked["module"].rpartition(".")[2])
    if numpy := sys.modules.get("numpy"):
        # Python gives each fork a random state of its own.
        numpy.random.seed()
    sys.argv = [asked["module"], *asked["words"]]
    # It is run once more as the main module, with all that it imports at hand.
    sys.modules.pop(asked["module"], None)


if __name__ == "__main__":
    taken = serve(Path(sys.argv[1]), sys.argv[3:], sys.argv[2] == AHEAD)
    if taken is not None:
        take(*taken, Path(sys.argv[1]))
