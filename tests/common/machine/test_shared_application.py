"""Processes that use the Spark application of the one that started them."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from common.machine import application, copies
from common.machine.spark import lend_spark
from tests.project import ROOT
from tests.waiting import until

DEADLINE = 120

SESSION = """
from common.machine.spark import get_session, name_jobs
session = get_session()
name_jobs(session, {group!r}, "a test", in_background={background})
context = session.sparkContext
"""
WORK = """
rows = context.parallelize(range(4), 2).map(lambda n: n * n)
kept = session.range(100).cache()
print(context.applicationId, sum(rows.collect()), kept.count())
print(session.conf.get("spark.sql.session.timeZone"))
print(session.catalog.listTables())
"""
WAIT = """
import time
kept = session.range(100).cache()
kept.count()
print("ready", flush=True)
# On one of the two cores.
context.parallelize(range(1), 1).foreach(lambda _: time.sleep(600))
"""


def start(script, group, background=False, environment=None):
    return subprocess.Popen(
        [sys.executable, "-c", SESSION.format(group=group, background=background) + script],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def active(spark, group):
    tracker = spark.sparkContext.statusTracker()
    infos = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    return [info for info in infos if info and info.status == "RUNNING"]


def cached(spark):
    return spark.sparkContext._jsc.sc().getPersistentRDDs().size()


def test_workflow_after_another_in_the_same_process_lends_the_same_application(spark):
    with lend_spark():
        path = os.environ[application.LENDER]
    copies.remove_copies()
    with lend_spark():
        assert os.environ[application.LENDER] == path
        assert application.find_lender() is not None


def test_process_has_a_session_of_its_own_in_the_application_of_the_one_that_started_it(spark):
    spark.range(1).createOrReplaceTempView("mine")
    with lend_spark():
        started = start(WORK, "works", background=True)
    said, errors = started.communicate(timeout=DEADLINE)
    spark.catalog.dropTempView("mine")
    assert (said, errors) == (f"{spark.sparkContext.applicationId} 14 100\nUTC\n[]\n", "")
    tracker = spark.sparkContext.statusTracker()
    assert tracker.getJobIdsForGroup("works")
    assert application.LENDER not in os.environ


def test_what_a_process_cached_is_gone_when_it_has_ended(spark):
    before = cached(spark)
    with lend_spark():
        started = start(WORK, "caches")
    started.communicate(timeout=DEADLINE)
    until(lambda: cached(spark) <= before, deadline=DEADLINE)


def test_killed_process_takes_its_jobs_with_it(spark):
    before = cached(spark)
    with lend_spark():
        killed, other = start(WAIT, "killed"), start(WAIT, "other")
    try:
        for process, group in ((killed, "killed"), (other, "other")):
            assert process.stdout.readline() == "ready\n"
            until(lambda group=group: active(spark, group), deadline=DEADLINE)
        killed.kill()
        until(lambda: not active(spark, "killed"), deadline=DEADLINE)
        assert active(spark, "other")
    finally:
        other.kill()
    until(lambda: not active(spark, "other") and cached(spark) <= before, deadline=DEADLINE)
    for process in (killed, other):
        process.communicate()


# PySpark waits for the end of the job, also when it was interrupted.
COLLECTS = """
print("ready", flush=True)
# On one of the two cores.
session.range(0, 10**15, 1, 1).selectExpr("sum(id % 7)").{}()
"""


@pytest.mark.parametrize("collect", ["toArrow", "toPandas"])
def test_interrupted_process_ends_with_its_jobs_and_leaves_those_of_others(spark, collect):
    # A group of a test before would be cancelled: so are its later jobs.
    with lend_spark():
        interrupted = start(COLLECTS.format(collect), f"interrupted {collect}")
        other = start(WAIT, f"bystander {collect}")
    try:
        for process, group in ((interrupted, f"interrupted {collect}"), (other, f"bystander {collect}")):
            assert process.stdout.readline() == "ready\n"
            until(lambda group=group: active(spark, group), deadline=DEADLINE)
        interrupted.send_signal(signal.SIGINT)
        _, errors = interrupted.communicate(timeout=DEADLINE)
        assert "KeyboardInterrupt" in errors
        assert "Warning" not in errors
        until(lambda: not active(spark, f"interrupted {collect}"), deadline=DEADLINE)
        assert active(spark, f"bystander {collect}")
    finally:
        interrupted.kill()
        other.kill()
    other.communicate()


LENDS = """
import subprocess, sys
from common.machine.spark import has_lost_spark, lend_spark
with lend_spark():
    subprocess.run([sys.executable, "-c", sys.argv[1]])
    print("waits", flush=True)
    input()
print("lost", has_lost_spark(60))
with lend_spark():
    subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
SAYS = SESSION.format(group="says", background=False) + "print(context.applicationId, flush=True)"


def java_below(process):
    below = psutil.Process(process.pid).children(recursive=True)
    return [child for child in below if child.name() == "java"]


@pytest.fixture
def lending():
    """A process that lends its application to one, waits for a line, and starts another."""
    process = subprocess.Popen(
        [sys.executable, "-c", LENDS, SAYS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_when_the_java_machine_dies_the_next_process_starts_one_of_its_own(lending):
    first = lending.stdout.readline()
    assert lending.stdout.readline() == "waits\n"
    (java,) = java_below(lending)
    java.kill()
    lost, second = lending.communicate("\n", DEADLINE)[0].splitlines()
    assert lost == "lost True"
    assert second.startswith("local-")
    assert second != first.strip()


@pytest.mark.slow
def test_java_machine_ends_with_the_process_that_started_it(lending):
    lending.stdout.readline()
    assert lending.stdout.readline() == "waits\n"
    (java,) = java_below(lending)
    lending.kill()
    gone, _ = psutil.wait_procs([java], DEADLINE)
    assert gone == [java]


@pytest.mark.parametrize("path", ["missing", "not a socket"])
def test_process_that_finds_no_lender_starts_its_own(tmp_path, monkeypatch, path):
    (tmp_path / "not a socket").write_text("")
    monkeypatch.setenv(application.LENDER, str(tmp_path / path))
    assert application.find_lender() is None


def test_application_cannot_be_lent_by_a_path_that_is_too_long(tmp_path, monkeypatch):
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    monkeypatch.setattr(copies, "lasting_folder", lambda: folder)
    with pytest.raises(OSError, match="AF_UNIX path too long"):
        application.Lender(lambda: None)
