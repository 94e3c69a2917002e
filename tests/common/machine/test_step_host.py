import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import psutil
import pytest

from common import ROOT
from common.machine.host_client import HOST, INTERRUPT, SIZE, STREAMS, TAKEN
from common.machine.step_host import StepHost
from tests.waiting import until

DEADLINE = 60
COMMAND = """
import atexit, os, signal, subprocess, sys, time
import click
from common.machine import step_host
from hosted import imported_by


@click.command()
@click.argument("deed")
def task(deed):
    print(f"{imported_by} {os.getpid()}")
    if deed == "show":
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        name = open("/proc/self/comm").read().strip()
        leads = os.getsid(0) == os.getpid()
        print(name, leads, os.environ["SAID"], os.getcwd(), nice, sys.argv[1:])
        print(sys.stdin.read(), end="")
        print("that is all", file=sys.stderr)
    elif deed == "see":
        print([os.environ.get(name) for name in ("INCOME_STEP_HOST", "OF_THE_HOST", "SET_BY_IMPORT")])
        print(subprocess.run(["false"]).returncode)
    elif deed == "abort":
        atexit.register(os.abort)
    elif deed == "tuple":
        sys.exit(("a", 1))
    elif deed == "text":
        sys.exit("a line")
    elif deed == "code":
        sys.exit(7)
    elif deed == "fail":
        raise RuntimeError("ours")
    elif deed == "start":
        with step_host.of_this_process().offered():
            command = subprocess.Popen([sys.executable, "-m", "hosted.task", "wait"])
        try:
            command.wait()
        except KeyboardInterrupt:
            print(command.wait(), flush=True)
            raise
    elif deed == "persist":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("deaf", flush=True)
        time.sleep(600)
    elif deed == "wait":
        try:
            print("waits", flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            raise

if __name__ == "__main__":
    task()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a package whose module is a command."""
    folder = tmp_path_factory.mktemp("it's a place")
    package = folder / "hosted"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import os\nfrom common.machine import host_client\n"
        "host_client.PATIENCE = float(os.environ.get('PATIENCE', 60))\n"
        "host_client.hand_over()\n"
        "imported_by = os.getpid()\n"
        "os.environ['SET_BY_IMPORT'] = 'yes'\n"
    )
    (package / "task.py").write_text(COMMAND)
    return folder


@pytest.fixture(scope="module")
def environment(place):
    return {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}", "SAID": "a b"}


def ready(host):
    """Wait until a host listens or has ended."""
    until(lambda: host.path.exists() or host.process.poll() is not None, deadline=DEADLINE)


@pytest.fixture(scope="module")
def host(environment):
    """A host that has imported the command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment["PYTHONPATH"])
        patch.setenv("OF_THE_HOST", "yes")
        host = StepHost(["hosted.task"])
    ready(host)
    yield host
    host.process.communicate()


@pytest.fixture
def start(host, place, environment):
    """Start a command, which finds the host unless told otherwise; end it after the test."""
    started = []

    def run(*words, path=host.path, variables=None, **options):
        command = [sys.executable, "-m", "hosted.task", *words]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        found = {**({HOST: str(path)} if path else {}), **(variables or {})}
        process = subprocess.Popen(
            command, env={**environment, **found}, cwd=place, text=True, **pipes, **options
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with process:
            process.kill()


def places_of(process):
    """Return the ids of the processes that imported a command and that work at it, once one does."""
    return tuple(map(int, process.stdout.readline().split()))


def fork_of(process):
    """Return who imported a command, and the process that works at it, which does not end by itself."""
    imported_by, pid = places_of(process)
    return imported_by, psutil.Process(pid)


def test_fork_of_the_host_is_the_command(start, host, place):
    nice = os.nice(0) + 1
    process = start("show", preexec_fn=lambda: os.nice(1))
    out, err = process.communicate("typed\n")
    first, rest = out.split("\n", 1)
    imported_by, pid = map(int, first.split())
    assert imported_by == host.process.pid
    assert pid not in (process.pid, host.process.pid)
    assert rest == f"task True a b {place} {nice} ['show']\ntyped\n"
    assert err == "that is all\n"
    assert process.returncode == 0


@pytest.mark.parametrize("path", [None, "/nowhere/host"])
def test_command_without_a_host_works_itself(start, path):
    process = start("code", path=path)
    imported_by, fork = map(int, process.communicate()[0].split())
    assert imported_by == fork == process.pid
    assert process.returncode == 7


@pytest.mark.parametrize("deed", ["code", "text", "tuple", "fail", "see", "abort"])
def test_command_ends_as_without_a_host(start, deed):
    hosted, alone = start(deed), start(deed, path=None)
    shown = [process.communicate() for process in (hosted, alone)]
    printed, errors = ([text[part].splitlines() for text in shown] for part in (0, 1))
    assert printed[0][1:] == printed[1][1:]
    assert errors[0][-1:] == errors[1][-1:]
    assert hosted.returncode == (alone.returncode if alone.returncode >= 0 else 128 - alone.returncode)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_fork_ends_with_its_command(start, host, ending):
    process = start("persist")
    imported_by, fork = fork_of(process)
    assert imported_by == host.process.pid
    assert process.stdout.readline() == "deaf\n"
    process.send_signal(ending)
    fork.wait(30)
    assert host.process.poll() is None


@contextmanager
def asked_by_hand(path, word, place, environment):
    """Ask a host for a command, and yield what the command prints; nobody reads the host's answer."""
    asked = {"module": "hosted.task", "words": [word], "environment": environment}
    text = json.dumps({**asked, "folder": str(place), "nice": os.nice(0)}).encode()
    reading, writing = os.pipe()
    with open(reading) as said, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        socket.send_fds(connection, [SIZE.pack(len(text))], [writing] * STREAMS)
        connection.sendall(text)
        os.close(writing)
        yield SimpleNamespace(stdout=said)


def test_fork_ends_with_a_command_that_has_not_read_that_it_was_taken(host, place, environment):
    with asked_by_hand(host.path, "persist", place, environment) as asked:
        fork = fork_of(asked)[1]
        assert asked.stdout.readline() == "deaf\n"
    fork.wait(DEADLINE)


def test_command_is_interrupted_in_its_fork(start):
    process = start("wait")
    _, fork = fork_of(process)
    assert process.stdout.readline() == "waits\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert out == "interrupted\n"
    assert "Aborted!" in err
    assert process.returncode == 1
    assert not fork.is_running()


def test_what_a_fork_starts_is_a_fork_of_its_host_and_is_interrupted_with_it(start, host):
    process = start("start")
    above, below = fork_of(process), fork_of(process)
    assert above[0] == below[0] == host.process.pid
    assert above[1].pid != below[1].pid
    assert process.stdout.readline() == "waits\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    # click's exit code of an interruption.
    assert out == "interrupted\n1\n"
    assert process.returncode == 1
    assert not any(fork.is_running() for _, fork in (above, below))


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_command_that_is_terminated_lets_its_fork_end_in_order(start, ending):
    process = start("wait")
    _, fork = fork_of(process)
    assert process.stdout.readline() == "waits\n"
    process.send_signal(ending)
    assert process.communicate()[0] == "interrupted\n"
    assert process.returncode == 1
    assert not fork.is_running()


def asks(listener):
    """Return the connection to a command that has said what it wants, and waits to be taken."""
    connection, _ = listener.accept()
    head, streams, _, _ = socket.recv_fds(connection, SIZE.size, STREAMS)
    for stream in streams:
        os.close(stream)
    connection.recv(SIZE.unpack(head)[0], socket.MSG_WAITALL)
    return connection


def test_command_that_is_interrupted_before_it_is_taken_interrupts_its_fork(start, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "host"))
        listener.listen()
        process = start("wait", path=tmp_path / "host")
        with asks(listener) as connection:
            process.send_signal(signal.SIGINT)
            connection.sendall(TAKEN)
            assert connection.recv(1) == INTERRUPT
            connection.sendall(bytes([5]))
            assert process.wait(DEADLINE) == 5


def test_command_that_is_interrupted_and_not_taken_ends(start, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "host"))
        listener.listen()
        process = start("wait", path=tmp_path / "host")
        with asks(listener):
            process.send_signal(signal.SIGINT)
    assert process.communicate()[0] == ""
    assert process.returncode == -signal.SIGINT


def test_command_fails_when_its_fork_is_killed(start):
    process = start("wait")
    fork_of(process)[1].kill()
    process.communicate()
    assert process.returncode == 128 + signal.SIGKILL


def test_host_ends_with_the_process_that_started_it(environment):
    code = """
import os, signal
from common.machine.step_host import StepHost
from tests.waiting import until
host = StepHost(["json"])
print(host.process.pid, flush=True)
until(host.path.exists)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(done.stdout)).wait(DEADLINE)


def test_host_of_code_that_has_changed_takes_no_command(start, environment, tmp_path):
    (tmp_path / "steps").mkdir()
    code = f"""
from pathlib import Path
from common.machine import code, step_host
code.ROOT = Path({str(tmp_path)!r})
taken = step_host.serve(Path({str(tmp_path / "host")!r}), ["hosted.task"])
if taken:
    step_host.take(*taken, Path("unused"))
"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, cwd=ROOT) as process:
        ready(SimpleNamespace(process=process, path=tmp_path / "host"))
        assert places_of(start("code", path=tmp_path / "host"))[0] == process.pid
        (tmp_path / "steps" / "new.py").touch()
        after = start("code", path=tmp_path / "host")
        assert places_of(after) == (after.pid, after.pid)
        assert process.wait(DEADLINE) == 0


def test_first_command_goes_ahead_of_the_imports_of_a_host_that_listens_first(start, environment, place):
    """Main is the first; what it starts waits for what is imported later, here until the host is told."""
    (place / "hosted" / "late.py").write_text("import sys\nsys.stdin.read(1)\n")
    (place / "hosted" / "all.py").write_text("FIRST = ['hosted.task']\nLATER = ['hosted.late']\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment["PYTHONPATH"])
        host = StepHost(["hosted.all"], listens_first=True)
    ready(host)
    with asked_by_hand(host.path, "wait", place, environment) as ahead:
        imported_by, first = fork_of(ahead)
        assert imported_by == host.process.pid
        assert ahead.stdout.readline() == "waits\n"
        second = start("code", path=host.path)
        host.process.stdin.write(b"x")
        host.process.stdin.flush()
        assert places_of(second)[0] == host.process.pid
        assert first.is_running()
    host.process.communicate()


def test_command_works_itself_if_the_host_that_it_waits_for_cannot_import(start, environment):
    host = StepHost(["no.such.module"], listens_first=True)
    ready(host)
    process = start("code", path=host.path)
    assert places_of(process) == (process.pid, process.pid)
    host.process.communicate()


def test_host_that_does_not_answer_is_not_waited_for(host, start):
    os.kill(host.process.pid, signal.SIGSTOP)
    try:
        process = start("code", variables={"PATIENCE": "0.2"})
        assert places_of(process) == (process.pid, process.pid)
    finally:
        os.kill(host.process.pid, signal.SIGCONT)


def test_steps_go_on_when_their_host_has_ended(start, place, environment):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment["PYTHONPATH"])
        host = StepHost(["hosted.task"])
    ready(host)
    working, waiting = start("show", path=host.path), start("wait", path=host.path)
    places_of(working)
    places_of(waiting)
    host.process.kill()
    host.process.wait()
    assert "typed" in working.communicate("typed")[0]
    assert working.returncode == 0
    with host.offered():
        assert HOST not in os.environ
    after = start("code", path=host.path)
    imported_by, _ = map(int, after.communicate()[0].split())
    assert imported_by == after.pid


def test_host_that_cannot_import_is_not_offered(environment):
    host = StepHost(["no.such.module"])
    ready(host)
    with host.offered():
        assert HOST not in os.environ
    host.process.communicate()
