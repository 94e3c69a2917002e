"""Run a step by MLflow: a process of its own, which shares the Spark application of this one.

Most are forks of a process that has imported what they need.
"""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import mlflow
import psutil
from mlflow.exceptions import ExecutionException
from mlflow.projects import SubmittedRun

from common import ROOT
from common.machine import copies, step_host
from common.machine.host_client import PATIENCE
from common.machine.spark import has_lost_spark, lend_spark

log = logging.getLogger(__name__)

# The `nice` value of background steps: below everything that the workflow waits for.
BACKGROUND = 10
# Seconds after a step's failure in which the JVM may end whose death was its cause.
DYING = 2


def submit(step: str, parameters: Mapping[str, str], experiment_id: str) -> SubmittedRun:
    """Run a step; if the Spark application that it shares dies, run it again with one of its own.

    Args:
        step: The entry point.
        parameters: All of its parameters, with inputs resolved.
        experiment_id: The experiment of the run.

    Raises:
        ExecutionException: The step failed.
    """
    had_lost = has_lost_spark()
    try:
        return _submit(step, parameters, experiment_id, synchronous=True)
    except ExecutionException:
        if had_lost or not lost_spark(step):
            raise
        return _submit(step, parameters, experiment_id, synchronous=True)


def lost_spark(step: str) -> bool:
    """Tell whether a step that failed has lost the Spark application that it shared, and log it."""
    lost = has_lost_spark(DYING)
    if lost:
        log.warning("the Spark application of %s has died: the step runs again with its own", step)
    return lost


def submit_in_background(step: str, parameters: Mapping[str, str], experiment_id: str) -> SubmittedRun:
    """Start a step at low priority; see `submit`."""
    run = _submit(step, parameters, experiment_id, synchronous=False)
    process = run.command_proc.pid  # type: ignore[attr-defined]
    with suppress(psutil.Error, OSError):
        psutil.Process(process).nice(BACKGROUND)
        # Linux may schedule by session before `nice` counts, and MLflow gives this process its own.
        Path(f"/proc/{process}/autogroup").write_text(str(BACKGROUND))
    return run


def _offered() -> AbstractContextManager[None]:
    # One that was begun before is about to be ready; without it a step would import the same.
    before = step_host.of_this_process()
    host = before or step_host.begin()
    return nullcontext() if host is None else host.offered(PATIENCE if before else 0)


def _submit(
    step: str, parameters: Mapping[str, str], experiment_id: str, synchronous: bool
) -> SubmittedRun:
    with lend_spark(), _offered():
        return mlflow.run(
            str(ROOT),
            entry_point=step,
            parameters=dict(parameters),
            env_manager="local",
            experiment_id=experiment_id,
            run_name=step,
            # Without it each step leaves an empty temporary folder.
            storage_dir=str(copies.new_folder()),
            synchronous=synchronous,
        )
