"""What the process of a session and its children print."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pyspark
import pytest
from pyspark import SparkConf

from common.errors import UserError
from common.machine import java
from tests.project import ROOT

SESSION = """
from common.machine.spark import get_session
rows = get_session("local[2]").sparkContext.parallelize(range(4), 2)
print(rows.map(abs).collect())
"""


@pytest.mark.slow
def test_session_starts_works_and_ends_without_a_word():
    done = subprocess.run([sys.executable, "-c", SESSION], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[0, 1, 2, 3]\n", "")


READING = """
import sys
from common.machine.spark import get_session
print(get_session("local[1]").read.text(sys.argv[1]).first()[0])
"""


@pytest.mark.slow
def test_file_is_found_by_a_name_that_the_locale_cannot_write(tmp_path):
    """As in a job of cron, or a script that sets LC_ALL=C."""
    (tmp_path / "zäune").mkdir()
    (tmp_path / "zäune" / "größe.txt").write_text("found")
    done = subprocess.run(
        [sys.executable, "-c", READING, tmp_path / "zäune" / "größe.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert (done.stdout, done.stderr) == ("found\n", "")


NO_JAVA = """
from common.errors import UserError
from common.machine.spark import get_session, has_lost_spark, lend_spark
with lend_spark():
    try:
        get_session()
    except UserError as error:
        print(error)
print(has_lost_spark(1))
"""


@pytest.mark.slow
def test_without_java_there_is_one_line_that_says_what_is_needed():
    environment = {**os.environ, "JAVA_HOME": "/none"}
    done = subprocess.run(
        [sys.executable, "-c", NO_JAVA], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    said, lost = done.stdout.splitlines()
    assert said.startswith("Java did not start (its message is above; JAVA_HOME is '/none'): Spark needs")
    # It never started, so that a step need not run again.
    assert lost == "False"


@pytest.mark.parametrize("version", [None, "3.5.1"])
def test_another_spark_in_the_environment_is_named_before_it_is_started(monkeypatch, tmp_path, version):
    (tmp_path / "jars").mkdir()
    if version:
        (tmp_path / "jars" / f"spark-core_2.12-{version}.jar").touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    with pytest.raises(UserError, match=f"^SPARK_HOME '{tmp_path}' has no Spark {pyspark.__version__}, "):
        java.start_java(SparkConf(loadDefaults=False))


def test_spark_of_the_right_version_in_the_environment_is_used(monkeypatch):
    for home in (None, Path(pyspark.__file__).parent):
        monkeypatch.delenv("SPARK_HOME", raising=False)
        if home:
            monkeypatch.setenv("SPARK_HOME", str(home))
        java._check_home()


def test_arguments_without_a_program_are_named_before_java_is_started(monkeypatch):
    for given in ("--master local[1]", ""):
        monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", given)
        with pytest.raises(UserError) as raised:
            java.start_java(SparkConf(loadDefaults=False))
        said = f"PYSPARK_SUBMIT_ARGS {given!r} must end with pyspark-shell, or be unset"
        assert str(raised.value) == said
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local[1] pyspark-shell")
    java._check_arguments()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SPARK_LOCAL_IP", "no host", "is no address that this machine knows: unset it, or"),
        ("SPARK_LOCAL_DIRS", "{file},{file}/below", "has no folder that can be written: unset it, or"),
    ],
)
def test_place_that_spark_cannot_use_is_named_before_java_is_started(
    monkeypatch, tmp_path, name, value, said
):
    file = tmp_path / "file"
    file.touch()
    given = value.format(file=file)
    monkeypatch.setenv(name, given)
    with pytest.raises(UserError, match=f"^{name} '{given}' {said}"):
        java.start_java(SparkConf(loadDefaults=False))


def test_place_that_spark_can_use_is_left_to_it(monkeypatch, tmp_path):
    """Of several folders it takes those that it can write to, and makes them."""
    monkeypatch.setenv("SPARK_LOCAL_DIRS", f"/proc/none,{tmp_path / 'new'}")
    java._check_folders()
    for address in ("localhost", "127.0.0.1", ""):
        monkeypatch.setenv("SPARK_LOCAL_IP", address)
        java._check_address()


def test_user_without_a_name_is_told_before_java_is_started(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    with pytest.raises(UserError, match="^user id 2147483641 has no name on this machine, and Spark"):
        java.start_java(SparkConf(loadDefaults=False))


@pytest.fixture
def passed_on(capfd):
    """Pass on chunks of Java's output, and return what is shown."""

    def pass_on(*chunks):
        read, write = os.pipe()
        thread = threading.Thread(target=java._pass_on, args=(read,))
        thread.start()
        for chunk in chunks:
            os.write(write, chunk)
        os.close(write)
        thread.join()
        return capfd.readouterr().err.encode()

    return pass_on


KNOWN = b"WARNING: Using incubator modules: jdk.incubator.vector\n"


def test_what_is_known_is_left_out_however_it_comes(passed_on):
    netlib = b"netlib-blas: JNI_OnLoad: dlopen(libblas.so.3) failed: no such file\n"
    assert passed_on(KNOWN + b"ERROR one\n" + netlib + b"ERROR two\n") == b"ERROR one\nERROR two\n"
    assert passed_on(KNOWN[:9], KNOWN[9:40], KNOWN[40:] + b"end") == b"end"
    rank = b"[21:39:18] Task 0 got rank 0\n"
    assert passed_on(b"one\n" + rank + b"two\n") == b"one\ntwo\n"
    assert passed_on(rank[:1], rank[1:5], rank[5:17], rank[17:], b"[Stage 1") == b"[Stage 1"
    assert passed_on(b"[21:39:18] WARNING: a\n") == b"[21:39:18] WARNING: a\n"


def test_all_else_is_passed_on_as_it_is(passed_on):
    other = b"WARNING: another\n\nlast\xff line without an end"
    assert passed_on(other) == other.decode(errors="replace").encode()
    assert passed_on(b"WARN", b"ING: a", b"nother") == b"WARNING: another"


def test_bar_is_shown_before_its_line_ends(capfd):
    read, write = os.pipe()
    thread = threading.Thread(target=java._pass_on, args=(read,))
    thread.start()
    os.write(write, b"\r[Stage 0:>  (0 + 2) / 4]")
    shown = ""
    while not shown:
        shown += capfd.readouterr().err
    assert shown == "\r[Stage 0:>  (0 + 2) / 4]"
    os.close(write)
    thread.join()
