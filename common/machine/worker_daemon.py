"""Spark's daemon of Python workers, whose workers end without a word when nothing is left to do.

Spark lets go a worker that was idle for a minute, and all of them at its end: it closes what they read
from. A worker takes that for an error, cannot tell it to anybody, and prints a trace of a broken pipe.
Spark runs this module in place of its own (spark.python.daemon.module).
"""

import os
from typing import Any

import pyspark.util
from pyspark import daemon

_tell = pyspark.util.handle_worker_exception


def end_quietly(error: BaseException, *rest: Any) -> None:
    """Tell Spark of a worker's error; where there was no task to read, end."""
    trace = error.__traceback__
    # Of a worker's main and the first thing that it reads; in the midst of a task there are more.
    if isinstance(error, EOFError) and trace and trace.tb_next and not trace.tb_next.tb_next:
        os._exit(0)
    _tell(error, *rest)


if __name__ == "__main__":
    # A worker takes the function from there when it begins.
    pyspark.util.handle_worker_exception = end_quietly  # type: ignore[assignment]
    daemon.manager()
