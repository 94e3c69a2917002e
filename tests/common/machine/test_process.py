import os
import socket
import subprocess

import pytest

from common.machine import process
from common.machine.process import is_gone, this_process

PLACE, PID, START = this_process().rsplit("/", 2)


def test_this_process_lives_and_one_of_its_number_at_another_time_does_not():
    assert is_gone(this_process()) is False
    assert is_gone(f"{PLACE}/{PID}/{int(START) - 1}") is True


def test_process_that_waits_for_its_parent_to_ask_is_gone():
    """As every process that ends in a container without an init process."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as ended:
        known = f"{PLACE}/{ended.pid}/{process._start(ended.pid)}"
        assert is_gone(known) is False
        ended.stdin.close()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(known) is True
    assert is_gone(known) is True


@pytest.mark.parametrize("place", ["another boot/pid:[4026531836]", PLACE[:-2] + "0]", ""])
def test_process_of_another_machine_or_container_is_not_known(place):
    assert is_gone(f"{place}/{PID}/{START}") is None


def test_machine_that_was_restored_from_the_same_snapshot_is_another_one(monkeypatch):
    known = f"{PLACE}/{PID}/{int(START) - 1}"
    assert is_gone(known) is True
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert is_gone(known) is None


def test_process_that_this_user_cannot_see_is_not_known(monkeypatch):
    monkeypatch.setattr(process, "_start", lambda _: None)
    assert is_gone(f"{PLACE}/{PID}/{START}") is None


def test_system_that_tells_no_place_knows_no_process_for_certain(monkeypatch):
    monkeypatch.setattr(process, "_place", lambda: None)
    assert is_gone(this_process()) is None
    assert this_process() != this_process()
