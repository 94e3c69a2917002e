"""Whether a run's process lives: told at once on its own machine, elsewhere by its beat in the store.

A beat is a tag that each process writes anew every few seconds. Clocks of machines differ, so what counts
is that the beat was not seen to change.
"""

import logging
import math
import os
import time
from collections.abc import Callable
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

# Tags of a run: the process that fills it, and its last beat.
PROCESS, BEAT = "workflow.process", "workflow.beat"

# Seconds without a beat after which others take a run for dead; a beat comes so many times in them.
GRACE_VARIABLE, GRACE, BEATS = "INCOME_GRACE", 60.0, 6
# No two clocks are so far apart, in seconds: a beat that is older need not be watched.
OLD = 3600.0

RUNNING, KILLED = (RunStatus.to_string(status) for status in (RunStatus.RUNNING, RunStatus.KILLED))


def grace() -> float:
    """Return the seconds without a beat after which this process's runs may be taken for dead.

    Raises:
        UserError: the environment's INCOME_GRACE is no such number.
    """
    given = os.environ.get(GRACE_VARIABLE)
    try:
        seconds = GRACE if given is None else float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= OLD:
        raise UserError(f"{GRACE_VARIABLE} must be seconds, above 0 and up to {OLD:.0f}, got {given!r}")
    return seconds


@dataclass(frozen=True)
class Beat:
    """A sign of life.

    Attributes:
        at: when, in seconds of the epoch by the clock of the machine that gave it.
        grace: seconds until the next one at the latest.
    """

    at: float
    grace: float

    def __str__(self) -> str:
        return f"{self.at:.3f} {self.grace:g}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the beat that a tag has."""
        at, grace = text.split()
        return cls(float(at), float(grace))


@dataclass
class _Seen:
    beat: str
    at: float
    unchanged: float = 0.0
    changed: bool = False


class Watch:
    """Tells dead runs from living ones; of those elsewhere only after it has looked for a while."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, today: Callable[[], float] = time.time
    ) -> None:
        """Take the clocks: one that only goes forward, and one of seconds of the epoch."""
        self.clock, self.today = clock, today
        self.seen: dict[str, _Seen] = {}

    def is_dead(self, run: Run) -> bool | None:
        """Look at a run that has a beat once more; None: it cannot be told yet.

        Time counts only while looks follow each other, so that a store that was silent for all does not
        make dead whoever could not reach it.
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
    """Ends the runs that are dead, and says every few seconds, in a thread, that a run's process lives.

    A beat that fails breaks nothing: the next one may succeed. A run that another process has taken for
    dead meanwhile (this machine slept, the store was slow) is set running again.
    """

    def __init__(self, run_id: str, experiment_id: str) -> None:
        """Take the run that this process fills, and the experiment to look for dead runs in."""
        self.run_id, self.experiment_id, self.grace = run_id, experiment_id, grace()
        self.client, self.watch = MlflowClient(), Watch()
        self.stopped, self.reviving = Event(), Lock()
        # The process must end when its work has, whatever the store does.
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
        # What follows sets the run's last status: nobody may set it running after that.
        with self.reviving:
            pass
        self.thread.join(self.grace / BEATS)

    def _now(self) -> Beat:
        return Beat(time.time(), self.grace)

    def _beat_on(self) -> None:
        last, told = time.monotonic(), False
        while not self.stopped.wait(self.grace / BEATS):
            try:
                self.client.set_tag(self.run_id, BEAT, str(self._now()))
                last, told = time.monotonic(), False
                if self.run_id not in end_dead_runs(self.experiment_id, self.watch):
                    self._revive()
            except Exception as error:
                if time.monotonic() - last > self.grace and not told:
                    told = True
                    log.warning(
                        "the store has not taken a sign of life for %.0f s: %s",
                        self.grace,
                        first_line(error),
                    )

    def _revive(self) -> None:
        with self.reviving:
            if self.stopped.is_set() or self.client.get_run(self.run_id).info.status != KILLED:
                return
            self.client.update_run(self.run_id, status=RUNNING)
        log.warning("run %s was taken for dead, but lives: it goes on", self.run_id)


def end_dead_runs(experiment_id: str, watch: Watch) -> set[str]:
    """End as KILLED the runs whose process is gone, and what is below searches that do not go on.

    Returns:
        Ids of the runs with a beat that go on.
    """
    going_on = set()
    for run in _running(experiment_id, BEAT):
        if watch.is_dead(run):
            _end(run.info.run_id)
        else:
            going_on.add(run.info.run_id)
    # A search may have been ended before: `mlflow run` marks the run of a command that was killed.
    goes_on: dict[str, bool] = {}
    for run in _running(experiment_id, tracking.SEARCH):
        search = run.data.tags[tracking.SEARCH]
        if search not in goes_on:
            goes_on[search] = _is_running(search)
        if not goes_on[search]:
            _end(run.info.run_id)
    return going_on


def wait_for_verdicts(experiment_id: str, tags: dict[str, str], own: str) -> list[str]:
    """Wait until each running run with some tags is known to live or to be dead; the dead are ended.

    Args:
        experiment_id: where they are.
        tags: that they have.
        own: the run that asks, which is left out.

    Returns:
        Ids of those that live.
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
                "the same work is under way elsewhere, or was until it was killed (run %s): waiting "
                "for a sign of life, up to %.0f s",
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
    """End a run as killed, unless it ended or went meanwhile: its process may have just finished."""
    if not _is_running(run_id):
        return
    try:
        MlflowClient().set_terminated(run_id, KILLED)
    except MlflowException:
        if _is_running(run_id):
            raise
