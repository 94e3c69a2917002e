"""What is told, and forgotten, when Spark's JVM has been killed while a step was using it."""

import logging
import subprocess
import sys
from signal import SIGKILL
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext

from common.errors import chain_of

# Seconds that the end of a JVM whose connections broke may take.
DYING = 5.0
# What py4j logs with a trace, of errors that it raises or that do not matter.
BROKEN = (
    "Exception while sending command.",
    "KeyboardInterrupt while sending command.",
    "Exception occurred while shutting down connection",
)


def lost_jvm(error: BaseException) -> str | None:
    """Return how the JVM of this process was killed, in words; None if it was not, or is not its own.

    The session of a JVM that is gone is forgotten: MLflow asks an active one for settings, dead or alive.

    Args:
        error: The error with which the work ended.
    """
    if not any(map(_is_of_connection, chain_of(error))) or _answers():
        return None
    SparkContext._active_spark_context = None
    process = getattr(SparkContext._gateway, "proc", None)
    if process is None:
        return None
    try:
        code = process.wait(DYING)
    except subprocess.TimeoutExpired:
        return None
    # A shell between reports a signal as 128 and its number.
    if code not in (-SIGKILL, 128 + SIGKILL):
        return None
    return (
        "Spark's Java was killed, as a system does that runs out of memory: leave it more, or set "
        "SPARK_DRIVER_MEMORY to less than it has now"
    )


def _answers() -> bool:
    jvm = SparkContext._jvm
    try:
        return jvm is None or bool(jvm.java.lang.System.currentTimeMillis())
    except (Py4JError, OSError, EOFError):
        return False


def _is_of_connection(error: BaseException) -> bool:
    """Return whether an error is one of the connection to a JVM; one of Java's own came through it."""
    if isinstance(error, Py4JJavaError):
        return False
    return isinstance(error, Py4JError | ConnectionError | EOFError)


def was_interrupted(error: BaseException) -> bool:
    """Return whether work that failed was ending because of an interruption.

    One interrupts all processes of a terminal, so Spark may be gone before the work has ended.
    """
    return any(isinstance(one, KeyboardInterrupt) for one in chain_of(error))


def tell_no_broken_connections(context: SparkContext) -> None:
    """Keep PySpark from printing a trace when its server of accumulators loses the JVM.

    What fails for want of the JVM raises errors of its own, which tell it.
    """
    server: Any = context._accumulatorServer
    show = server.handle_error

    def handle_error(*request: object) -> None:
        if not isinstance(sys.exception(), EOFError | ConnectionError):
            show(*request)

    server.handle_error = handle_error


def _is_no_broken_command(record: logging.LogRecord) -> bool:
    return record.msg not in BROKEN


# A process that lends its JVM, or is about to get a session, has connections too.
for logger in map(logging.getLogger, ("", "py4j.clientserver", "py4j.java_gateway")):
    logger.addFilter(_is_no_broken_command)
