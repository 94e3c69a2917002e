"""Spark's daemon for Python workers, with workers that end silently when Spark drops them.

Spark drops workers that were idle for a minute, all workers when it stops, and those of a job that is
cancelled, by closing their input. A worker takes that for an error, cannot report it, and prints the
trace of a broken pipe. Spark runs this module instead of its own daemon (spark.python.daemon.module).
"""

import os
from collections.abc import Callable
from typing import Any

import pyspark.util
from pyspark import daemon

_tell = pyspark.util.handle_worker_exception


def end_quietly(error: BaseException, *rest: Any) -> None:
    """Report the error of a worker to Spark, or exit if the worker was waiting for a task."""
    trace = error.__traceback__
    # Two frames: the worker waited for its first message. Within a task there are more.
    if isinstance(error, EOFError) and trace and trace.tb_next and not trace.tb_next.tb_next:
        os._exit(0)
    _tell(error, *rest)


def without_broken_pipes(work: Callable[..., int]) -> Callable[..., int]:
    """Return the work of a worker, which exits if nobody takes the result of its last task."""

    def quietly(*connection: Any) -> int:
        try:
            return work(*connection)
        except BrokenPipeError:
            os._exit(1)

    return quietly


if __name__ == "__main__":
    # Workers look the functions up there when they start.
    pyspark.util.handle_worker_exception = end_quietly  # type: ignore[assignment]
    daemon.worker = without_broken_pipes(daemon.worker)
    daemon.manager()
