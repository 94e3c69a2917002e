"""Run a step by MLflow: a process of its own, which shares the Spark application of this one.

Most are forks of a process that has imported what they need.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import mlflow
import psutil
from mlflow import MlflowClient
from mlflow.entities import RunStatus, RunTag
from mlflow.exceptions import ExecutionException
from mlflow.projects import SubmittedRun
from mlflow.projects.backend.loader import load_backend
from mlflow.projects.utils import (
    PROJECT_BUILD_IMAGE,
    PROJECT_DOCKER_ARGS,
    PROJECT_DOCKER_AUTH,
    PROJECT_ENV_MANAGER,
    PROJECT_STORAGE_DIR,
    PROJECT_SYNCHRONOUS,
)
from mlflow.utils.mlflow_tags import MLFLOW_PROJECT_BACKEND, MLFLOW_RUN_NAME

from common import ROOT
from common.machine import copies, step_host
from common.machine.host_client import PATIENCE
from common.machine.spark import has_lost_spark, lend_spark
from common.store import tracking
from common.store.liveness import RUNNING

log = logging.getLogger(__name__)

# The `nice` value of background steps: below everything that the workflow waits for.
BACKGROUND = 10
BACKEND, ENVIRONMENT = "local", "local"
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
        return _submit(step, parameters, experiment_id)
    except ExecutionException:
        if had_lost or not lost_spark(step):
            raise
        return _submit(step, parameters, experiment_id)


def lost_spark(step: str) -> bool:
    """Tell whether a step that failed has lost the Spark application that it shared, and log it."""
    lost = has_lost_spark(DYING)
    if lost:
        log.warning("the Spark application of %s has died: the step runs again with its own", step)
    return lost


def submit_in_background(step: str, parameters: Mapping[str, str], experiment_id: str) -> SubmittedRun:
    """Start a step at low priority; see `submit`."""
    run = _begin(step, parameters, experiment_id)
    process = run.command_proc.pid  # type: ignore[attr-defined]
    with suppress(psutil.Error, OSError):
        psutil.Process(process).nice(BACKGROUND)
    return run


def end_run(run_id: str) -> None:
    """End the run of a step that was killed, unless it has ended it itself."""
    client = MlflowClient()
    if not RunStatus.is_terminated(RunStatus.from_string(client.get_run(run_id).info.status)):
        client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))


def _offered() -> AbstractContextManager[None]:
    # One that was begun before is about to be ready; without it a step would import the same.
    before = step_host.of_this_process()
    host = before or step_host.begin()
    return nullcontext() if host is None else host.offered(PATIENCE if before else 0)


def _project() -> str:
    """Return the project's folder; a relative path, since MLflow divides a URI at a # of its own."""
    return os.path.relpath(ROOT)


def _submit(step: str, parameters: Mapping[str, str], experiment_id: str) -> SubmittedRun:
    with lend_spark(), _offered(), _none_left_unfilled(experiment_id):
        return mlflow.run(
            _project(),
            entry_point=step,
            parameters=dict(parameters),
            env_manager=ENVIRONMENT,
            experiment_id=experiment_id,
            run_name=step,
            # Without it each step leaves an empty temporary folder.
            storage_dir=str(copies.new_folder()),
        )


@contextmanager
def _none_left_unfilled(experiment_id: str) -> Iterator[None]:
    """If it is interrupted, end the runs below this process's that no step has begun to fill.

    MLflow ends a run that it waits for, but not one that it had only just made.
    """
    try:
        yield
    except KeyboardInterrupt:
        if (own := mlflow.active_run()) is not None:
            for run in tracking.find_runs({tracking.PARENT: own.info.run_id}, experiment_id, RUNNING):
                if tracking.STEP not in run.data.tags:
                    end_run(run.info.run_id)
        raise


def _begin(step: str, parameters: Mapping[str, str], experiment_id: str) -> SubmittedRun:
    """Start a step as `mlflow.run` does and return, while it works.

    If that is told not to wait, it starts another `mlflow run`, whose imports take three seconds.
    """
    config = {
        PROJECT_ENV_MANAGER: ENVIRONMENT,
        PROJECT_SYNCHRONOUS: True,
        PROJECT_STORAGE_DIR: str(copies.new_folder()),
        **dict.fromkeys((PROJECT_DOCKER_ARGS, PROJECT_BUILD_IMAGE, PROJECT_DOCKER_AUTH)),
    }
    where = mlflow.get_tracking_uri(), experiment_id
    with lend_spark(), _offered(), _none_left_unfilled(experiment_id):
        run = load_backend(BACKEND).run(_project(), step, dict(parameters), None, config, *where)
        MlflowClient().log_batch(
            run.run_id, tags=[RunTag(MLFLOW_PROJECT_BACKEND, BACKEND), RunTag(MLFLOW_RUN_NAME, step)]
        )
    return run
