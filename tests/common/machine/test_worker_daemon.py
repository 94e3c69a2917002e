"""Workers of the daemon, addressed as by Spark's JVM."""

import os
import socket
import subprocess
import sys
import tempfile

import psutil
import pytest
from pyspark.serializers import UTF8Deserializer, read_int

from tests.project import ROOT

DEADLINE = 60


def test_worker_that_is_let_go_ends_without_a_word():
    # Not tmp_path, which is too long for a socket's path.
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHON_UNIX_DOMAIN_ENABLED": "true",
            "PYTHON_WORKER_FACTORY_SOCK_DIR": folder,
            "PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE": "1",
        }
        pipe = subprocess.PIPE
        daemon = subprocess.Popen(
            [sys.executable, "-m", "common.machine.worker_daemon", "pyspark.worker"],
            **{"cwd": ROOT, "env": environment, "stdin": pipe, "stdout": pipe, "stderr": pipe},
        )
        with socket.socket(socket.AF_UNIX) as spark:
            spark.connect(UTF8Deserializer().loads(daemon.stdout))
            worker = psutil.Process(read_int(spark.makefile("rb")))
        assert not psutil.wait_procs([worker], DEADLINE)[1]
        # The daemon ends when its standard input is closed.
        assert daemon.communicate()[1] == b""


DROPPED = """
from common.machine.worker_daemon import without_broken_pipes

def work(pipe):
    raise BrokenPipeError if pipe == "broken" else ValueError(pipe)

without_broken_pipes(work)({!r})
"""


@pytest.mark.parametrize(("pipe", "said"), [("broken", ""), ("other", "ValueError: other")])
def test_worker_whose_result_nobody_takes_ends_without_a_word(pipe, said):
    ended = subprocess.run(
        [sys.executable, "-c", DROPPED.format(pipe)], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert (ended.stderr.splitlines() or [""])[-1] == said


DAEMON = """
import runpy
from pyspark import daemon
daemon.manager = lambda: print(daemon.worker.__module__)
runpy.run_module("common.machine.worker_daemon", run_name="__main__")
"""


def test_workers_of_the_daemon_work_so():
    ended = subprocess.run([sys.executable, "-c", DAEMON], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout == "__main__\n"
