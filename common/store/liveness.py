"""Tell whether a run's process is alive: at once on its own machine, elsewhere by its heartbeat.

A heartbeat is a tag that each process rewrites every few seconds. Clocks differ between machines, so a
run counts as dead when its heartbeat was not seen to change, whatever its time stamp.
"""

import logging
import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus, RunTag
from mlflow.exceptions import MlflowException

from common.errors import UserError, first_line
from common.machine.process import is_gone, this_process
from common.store import tracking

log = logging.getLogger(__name__)

# Tags of a run: the process that writes it, and its last heartbeat.
PROCESS, BEAT = "workflow.process", "workflow.beat"

# Seconds without a heartbeat after which a run counts as dead; heartbeats sent in that time.
GRACE_VARIABLE, GRACE, BEATS = "INCOME_GRACE", 60.0, 6
# Clocks differ by less than this many seconds, so an older heartbeat need not be watched.
OLD = 3600.0

RUNNING, KILLED = (RunStatus.to_string(status) for status in (RunStatus.RUNNING, RunStatus.KILLED))


def grace() -> float:
    """Return the seconds without a heartbeat after which this process's runs count as dead.

    Raises:
        UserError: The environment variable INCOME_GRACE is not a number in the allowed range.
    """
    given = os.environ.get(GRACE_VARIABLE)
    try:
        seconds = GRACE if given is None else float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= OLD:
        raise UserError(
            f"{GRACE_VARIABLE} must be a number of seconds above 0 and up to {OLD:.0f}, got {given!r}"
        )
    return seconds


@dataclass(frozen=True)
class Beat:
    """The content of a heartbeat tag.

    Attributes:
        at: The time of the heartbeat, in seconds since the epoch by the sender's clock.
        grace: The seconds without another heartbeat after which the run counts as dead.
    """

    at: float
    grace: float

    def __str__(self) -> str:
        return f"{self.at:.3f} {self.grace:g}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse the value of a heartbeat tag."""
        at, grace = text.split()
        return cls(float(at), float(grace))


@dataclass
class _Seen:
    beat: str
    at: float
    unchanged: float = 0.0
    changed: bool = False


class Watch:
    """Tells dead runs from live ones; runs on other machines must be observed for a while first."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, today: Callable[[], float] = time.time
    ) -> None:
        """Create a watch.

        Args:
            clock: A monotonic clock, in seconds.
            today: A wall clock, in seconds since the epoch.
        """
        self.clock, self.today = clock, today
        self.seen: dict[str, _Seen] = {}

    def is_dead(self, run: Run) -> bool | None:
        """Observe a run with a heartbeat once more; None means that it is not known yet.

        A long gap between observations counts only in part: if the store was down, the run could not
        send heartbeats either.
        """
        tags = run.data.tags
        gone = is_gone(tags.get(PROCESS, "//"))
        if gone is not None:
            return gone
        beat, now = Beat.read(tags[BEAT]), self.clock()
        seen = self.seen.setdefault(run.info.run_id, _Seen(tags[BEAT], now))
        if seen.beat != tags[BEAT]:
            self.seen[run.info.run_id] = _Seen(tags[BEAT], now, changed=True)
            return False
        seen.unchanged += min(now - seen.at, 2 * beat.grace / BEATS)
        seen.at = now
        if seen.unchanged >= beat.grace:
            return True
        if seen.changed:
            return False
        return True if self.today() - beat.at > OLD else None


class Heartbeat:
    """Sends heartbeats for a run every few seconds, in a thread, and ends dead runs.

    A failed heartbeat is harmless: the next one may succeed. If another process has marked the run as
    dead in the meantime (this machine slept, the store was slow), the run is set to RUNNING again.
    """

    def __init__(self, run_id: str, experiment_id: str) -> None:
        """Create the heartbeat of a run.

        Args:
            run_id: The id of the run that this process writes.
            experiment_id: The experiment in which to look for dead runs.
        """
        self.run_id, self.experiment_id, self.grace = run_id, experiment_id, grace()
        self.client, self.watch = MlflowClient(), Watch()
        self.stopped, self.reviving = Event(), Lock()
        # A daemon thread: the process must be able to exit even if the store hangs.
        self.thread = Thread(target=self._beat_on, name=f"beat of {run_id}", daemon=True)

    def __enter__(self) -> Self:
        tags = {PROCESS: this_process(), BEAT: str(self._now())}
        self.client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in tags.items()])
        end_dead_runs(self.experiment_id, self.watch)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        # The run's final status is set next: wait for a revival under way, so that none comes after.
        with self.reviving:
            pass
        self.thread.join(self.grace / BEATS)

    def _now(self) -> Beat:
        return Beat(time.time(), self.grace)

    def _beat_on(self) -> None:
        last, told, impatient = time.monotonic(), False, ExitStack()
        while not self.stopped.wait(self.grace / BEATS):
            try:
                self.client.set_tag(self.run_id, BEAT, str(self._now()))
                last, told = time.monotonic(), False
                impatient.close()
                if self.run_id not in end_dead_runs(self.experiment_id, self.watch):
                    self._revive()
            except Exception as error:
                if time.monotonic() - last > self.grace and not told:
                    told = True
                    # Each call that follows, to end the run above all, would take as many minutes again.
                    impatient.enter_context(tracking.asked_briefly())
                    log.warning(
                        "the store has accepted no heartbeat for %.0f s: %s",
                        time.monotonic() - last,
                        first_line(error),
                    )

    def _revive(self) -> None:
        with self.reviving:
            if self.stopped.is_set() or self.client.get_run(self.run_id).info.status != KILLED:
                return
            self.client.update_run(self.run_id, status=RUNNING)
        log.warning("run %s was marked as dead but is alive: it continues", self.run_id)


def end_dead_runs(experiment_id: str, watch: Watch) -> set[str]:
    """End runs whose process is dead, and child runs of searches that have ended, as KILLED.

    Args:
        experiment_id: The experiment to look in.
        watch: The watch, which is kept between calls.

    Returns:
        The ids of the runs with a heartbeat that are still running.
    """
    going_on = set()
    for run in _running(experiment_id, BEAT):
        if watch.is_dead(run):
            _end(run.info.run_id)
        else:
            going_on.add(run.info.run_id)
    # The search itself may have ended earlier: `mlflow run` ends the run of a killed command.
    goes_on: dict[str, bool] = {}
    for run in _running(experiment_id, tracking.SEARCH):
        search = run.data.tags[tracking.SEARCH]
        if search not in goes_on:
            goes_on[search] = _is_running(search)
        if not goes_on[search]:
            _end(run.info.run_id)
    return going_on


def wait_for_verdicts(experiment_id: str, tags: dict[str, str], own: str) -> list[str]:
    """Wait until each running run with these tags is known to be alive or dead; end the dead ones.

    Args:
        experiment_id: The experiment to look in.
        tags: The tags that the runs have.
        own: The id of the calling run, which is left out.

    Returns:
        The ids of the runs that are alive.
    """
    watch, told = Watch(), False
    while True:
        living, unsure, longest = [], [], 0.0
        for run in tracking.find_runs(tags, experiment_id, RUNNING):
            run_id = run.info.run_id
            if run_id == own or BEAT not in run.data.tags:
                continue
            dead = watch.is_dead(run)
            if dead:
                _end(run_id)
            else:
                living.append(run_id)
            if dead is None:
                unsure.append(run_id)
                longest = max(longest, Beat.read(run.data.tags[BEAT]).grace)
        if not unsure:
            return living
        if not told:
            told = True
            log.warning(
                "the same work is running elsewhere, or was until it was killed (run %s): waiting "
                "for a heartbeat, up to %.0f s",
                ", ".join(unsure),
                longest,
            )
        time.sleep(grace() / BEATS)


def _running(experiment_id: str, tag: str) -> list[Run]:
    clause = f"attributes.status = '{RUNNING}' and tags.`{tag}` LIKE '%'"
    return tracking.search(experiment_id, clause)


def _is_running(run_id: str) -> bool:
    run = tracking.find_run(run_id)
    return run is not None and run.info.status == RUNNING


def _end(run_id: str) -> None:
    """End a run as KILLED unless it has ended or been deleted meanwhile."""
    if not _is_running(run_id):
        return
    try:
        MlflowClient().set_terminated(run_id, KILLED)
    except MlflowException:
        if _is_running(run_id):
            raise
