import os
import signal
import socket
import subprocess
import sys
from threading import Event

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES
from mlflow.exceptions import MlflowException

from common.errors import UserError
from common.machine import process
from common.store import liveness, tracking
from common.store.liveness import (
    BEAT,
    BEATS,
    KILLED,
    OLD,
    PROCESS,
    RUNNING,
    Beat,
    Heartbeat,
    Watch,
)
from tests.project import ROOT

GRACE = 60.0
HERE = process.this_process()
PLACE, PID, START = HERE.rsplit("/", 2)
ELSEWHERE = f"another boot/pid:[4026531836]/{PID}/{START}"


@pytest.fixture
def quick(monkeypatch):
    """Heartbeats so frequent that a test need not wait."""
    monkeypatch.setenv(liveness.GRACE_VARIABLE, "0.6")


def status(*run_ids):
    return [MlflowClient().get_run(run_id).info.status for run_id in run_ids]


def open_run(store, filler=HERE, beat="1000 60", **tags):
    return MlflowClient().create_run(store, tags={PROCESS: filler, BEAT: beat, **tags}).info.run_id


class Clock:
    """The observer's clocks, which a test moves forward."""

    def __init__(self, today=1000.0):
        self.now, self.started = 0.0, today

    def watch(self):
        return Watch(lambda: self.now, lambda: self.started + self.now)


def test_runs_of_processes_that_are_gone_are_ended_at_once(store):
    alive = open_run(store)
    other_start = open_run(store, f"{PLACE}/{PID}/{int(START) - 100}")
    ended = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    waits = open_run(store, f"{PLACE}/{ended.pid}/{process._start(ended.pid)}")
    ended.stdin.close()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as in containers without init
    liveness.end_dead_runs(store, Watch())
    assert status(alive, other_start, waits) == [RUNNING, KILLED, KILLED]
    ended.wait()


def test_run_elsewhere_lives_as_long_as_its_beat_changes_whatever_its_clock_says(store):
    clock = Clock()
    watch = clock.watch()
    # Its clock is ahead by days, or behind by hours.
    runs = [open_run(store, ELSEWHERE, str(Beat(at, GRACE))) for at in (1e6, 1000 - OLD / 2)]
    for _ in range(2 * BEATS):
        assert liveness.end_dead_runs(store, watch) == set(runs)
        clock.now += GRACE / BEATS
        for run_id in runs:
            beat = Beat.read(mlflow.get_run(run_id).data.tags[BEAT])
            MlflowClient().set_tag(run_id, BEAT, str(Beat(beat.at + 1, GRACE)))


def test_run_elsewhere_without_a_beat_for_its_grace_is_ended(store):
    clock = Clock()
    watch = clock.watch()
    dead = open_run(store, ELSEWHERE)
    for _ in range(BEATS):
        assert liveness.end_dead_runs(store, watch) == {dead}
        clock.now += GRACE / BEATS
    assert liveness.end_dead_runs(store, watch) == set()
    assert status(dead) == [KILLED]


def test_run_elsewhere_of_another_day_is_ended_at_once(store):
    dead = open_run(store, ELSEWHERE)
    liveness.end_dead_runs(store, Clock(today=1001 + OLD).watch())
    assert status(dead) == [KILLED]


def test_time_in_which_nobody_could_look_does_not_count(store):
    clock = Clock()
    watch = clock.watch()
    run_id = open_run(store, ELSEWHERE)
    liveness.end_dead_runs(store, watch)
    clock.now += 20 * GRACE  # the store was down, or the observer slept
    assert liveness.end_dead_runs(store, watch) == {run_id}


@pytest.mark.parametrize("state", ["purged", "deleted", KILLED, "FAILED", "FINISHED"])
def test_candidate_of_a_search_that_does_not_go_on_is_ended(store, state):
    search = open_run(store)
    below = open_run(store, **{tracking.SEARCH: search})
    if state == "deleted":
        MlflowClient().delete_run(search)
    elif state == "purged":
        purge(search)
    else:
        MlflowClient().set_terminated(search, state)
    liveness.end_dead_runs(store, Watch())
    assert status(below) == [KILLED]


def purge(run_id):
    MlflowClient().delete_run(run_id)
    tracking_store = mlflow.tracking._tracking_service.utils._get_store()
    tracking_store._hard_delete_run(run_id)


def test_candidate_of_a_search_that_goes_on_is_left(store):
    search = open_run(store)
    below = MlflowClient().create_run(store, tags={tracking.SEARCH: search}).info.run_id
    liveness.end_dead_runs(store, Watch())
    assert status(search, below) == [RUNNING, RUNNING]


def test_run_that_finished_meanwhile_stays_finished(store, monkeypatch):
    run_id = open_run(store, f"{PLACE}/{PID}/1")

    def finish_first(self, run):
        MlflowClient().set_terminated(run.info.run_id)
        return True

    monkeypatch.setattr(Watch, "is_dead", finish_first)
    liveness.end_dead_runs(store, Watch())
    assert status(run_id) == ["FINISHED"]


def test_run_that_was_taken_for_dead_goes_on_and_ends_well(store, quick, monkeypatch, caplog):
    seen = Event()
    revive = Heartbeat._revive

    def tell(self):
        revive(self)
        seen.set()

    monkeypatch.setattr(Heartbeat, "_revive", tell)
    with mlflow.start_run() as run, Heartbeat(run.info.run_id, store):
        MlflowClient().set_terminated(run.info.run_id, KILLED)
        assert seen.wait(30)
        assert status(run.info.run_id) == [RUNNING]
    assert status(run.info.run_id) == ["FINISHED"]
    assert f"run {run.info.run_id} was marked as dead but is alive: it continues" in caplog.text


def test_run_that_was_given_another_end_is_not_set_running(store):
    run_id = open_run(store)
    beat = Heartbeat(run_id, store)
    MlflowClient().set_terminated(run_id, "FAILED")
    beat._revive()
    assert status(run_id) == ["FAILED"]
    MlflowClient().set_terminated(run_id, KILLED)
    beat.stopped.set()
    beat._revive()
    assert status(run_id) == [KILLED]


def test_beat_that_fails_breaks_nothing_and_is_told_once_the_grace_is_over(
    store, quick, monkeypatch, caplog
):
    told = Event()

    def fail(*_):
        raise MlflowException("no answer")

    monkeypatch.setattr(liveness.log, "warning", lambda *_: told.set())
    with mlflow.start_run() as run, Heartbeat(run.info.run_id, store) as beat:
        monkeypatch.setattr(beat.client, "set_tag", fail)
        assert told.wait(30)
    assert status(run.info.run_id) == ["FINISHED"]


def test_store_is_asked_briefly_once_it_was_silent_and_patiently_when_it_answers_again(
    store, quick, monkeypatch
):
    told, answered = Event(), Event()

    def fail(*_):
        raise MlflowException("no answer")

    def look(*_):
        answered.set()
        return {run.info.run_id}

    with mlflow.start_run() as run, Heartbeat(run.info.run_id, store) as beat:
        monkeypatch.setattr(liveness.log, "warning", lambda *_: told.set())
        with monkeypatch.context() as silent:
            silent.setattr(beat.client, "set_tag", fail)
            assert told.wait(30)
            assert MLFLOW_HTTP_REQUEST_MAX_RETRIES.get() == 2
        monkeypatch.setattr(liveness, "end_dead_runs", look)
        assert answered.wait(30)
        assert not MLFLOW_HTTP_REQUEST_MAX_RETRIES.is_set()


def test_store_that_hangs_keeps_no_process_from_ending(store, quick, monkeypatch):
    hangs, go_on = Event(), Event()

    def hang(*_):
        hangs.set()
        go_on.wait(60)

    with mlflow.start_run() as run, Heartbeat(run.info.run_id, store) as beat:
        monkeypatch.setattr(beat.client, "set_tag", hang)
        assert hangs.wait(30)
    assert beat.thread.is_alive()
    assert beat.thread.daemon
    assert status(run.info.run_id) == ["FINISHED"]
    go_on.set()


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf", "3601", ""])
def test_grace_that_is_no_number_of_seconds_is_refused(monkeypatch, given):
    monkeypatch.setenv(liveness.GRACE_VARIABLE, given)
    with pytest.raises(
        UserError, match=f"INCOME_GRACE must be a number of seconds above 0 and up to 3600, got '{given}'"
    ):
        liveness.grace()


def in_container(*command, hostname):
    """Run a command as in a container: with its own process ids and host name."""
    named = f'hostname {hostname} && exec "$@"'
    namespaces = ["--pid", "--uts", "--fork", "--kill-child", "--mount-proc"]
    if os.getuid():
        namespaces.append("--map-root-user")
    return ["unshare", *namespaces, "sh", "-c", named, "sh", *command]


@pytest.fixture
def fill(store, quick):
    """Start processes in separate containers, each with an open run; return their run ids."""
    if subprocess.run(in_container("true", hostname="any"), capture_output=True).returncode:
        pytest.skip("containers need namespaces, which this system does not grant")
    started = []

    def fill(hostname, *tags):
        command = in_container(sys.executable, "-m", "tests.beating", *tags, hostname=hostname)
        environment = {**os.environ, "MLFLOW_EXPERIMENT_ID": store}
        pipe = subprocess.PIPE
        started.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
        )
        return started[-1]

    yield fill
    for one in started:
        one.kill()
        with one:
            pass


def test_containers_of_one_hostname_leave_each_others_runs_and_end_dead_ones(store, fill):
    """Both have the same host name and process ids, like replicas of one image."""
    same = socket.gethostname()
    key = {tracking.KEY: "key"}
    killed, other = (fill(same, f"{tracking.KEY}=key") for _ in range(2))
    dead, living = (one.stdout.readline().strip() for one in (killed, other))
    places = {mlflow.get_run(run_id).data.tags[PROCESS].rsplit("/", 2)[0] for run_id in (dead, living)}
    assert len(places | {PLACE}) == 3
    assert set(liveness.wait_for_verdicts(store, key, own="")) == {dead, living}
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert liveness.wait_for_verdicts(store, key, own="") == [living]
    assert status(dead, living) == [KILLED, RUNNING]
    other.communicate()
    assert status(living) == ["FINISHED"]
