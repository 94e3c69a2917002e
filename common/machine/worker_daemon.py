"""Spark's daemon for Python workers, with workers that end silently when Spark drops them.

Spark drops workers that were idle for a minute, and all workers when it stops, by closing their input. A
worker takes that for an error, cannot report it, and prints the trace of a broken pipe. Spark runs this
module instead of its own daemon (spark.python.daemon.module).
"""

import os
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


if __name__ == "__main__":
    # Workers look the function up there when they start.
    pyspark.util.handle_worker_exception = end_quietly  # type: ignore[assignment]
    daemon.manager()
