"""Copies of a process that was killed, or that became another program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.machine import copies
from tests.project import ROOT

MAKE = "from common.machine import copies; print(copies.new_folder(), flush=True); "


def start(folder, then):
    """Start a process that makes a folder for copies and then runs `then`; return both."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKE + then],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize(
    "then", ["input()", "import os; os.execvp('sh', ['sh', '-c', 'echo service; read line'])"]
)
def test_copies_stay_while_their_process_lives_and_go_when_it_was_killed(temporary, then):
    process, folder = start(temporary, then)
    if "service" in then:
        assert process.stdout.readline() == "service\n"
    copies.new_folder()
    assert os.path.isdir(folder)
    process.kill()
    process.communicate()
    assert os.path.isdir(folder)
    copies.remove_copies()
    copies.new_folder()
    assert not os.path.exists(folder)


def test_process_that_ends_by_an_error_leaves_none(temporary):
    process, folder = start(temporary, "raise SystemExit(input())")
    assert os.path.isdir(folder)
    process.communicate("failed\n")
    assert process.returncode == 1
    assert not os.path.exists(folder)


def test_copy_that_fails_is_asked_for_again(temporary):
    def fail(folder):
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        copies.copy_once("x", fail)
    assert copies.copy_once("x", str).startswith(str(temporary))
    assert copies.copy_once("x", fail).startswith(str(temporary))


def test_copy_is_told_from_what_is_elsewhere(temporary):
    elsewhere = temporary / "elsewhere"
    assert not copies.is_copy(elsewhere)
    copy = Path(copies.copy_once("x", str))
    assert copies.is_copy(copy)
    assert copies.is_copy(copy / "below")
    assert not copies.is_copy(elsewhere)
