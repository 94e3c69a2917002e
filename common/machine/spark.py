"""The Spark session that every step shares."""

import logging
import os
import signal
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread, current_thread, main_thread

from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from common import ROOT
from common.machine import copies
from common.machine.application import (
    LENDER,
    Guest,
    Lender,
    attach,
    find_lender,
    show_stages,
    start_context,
)
from common.machine.code import code_state
from common.machine.java import ensure_java, start_java
from common.machine.lost_jvm import tell_no_broken_connections
from common.machine.spark_settings import BAR, LOCAL, REMEMBERED, settings_for
from common.machine.threads import in_thread

# The pool of work that others go before.
BACKGROUND = "background"
LIBRARY = "common.zip"
CODE = "INCOME_CODE"
_lock = Lock()
_lender: Lender | None = None
_guest: Guest | None = None


def get_session(
    master: str | None = None,
    java_options: Sequence[str] | None = None,
    shows_stages: bool = False,
    brief: bool = False,
) -> SparkSession:
    """Return the active session, or start one.

    Args:
        master: Spark master URL. Default: the environment's SPARK_MASTER, else every local core.
        java_options: Options of the driver's JVM. Default: the environment's class archive, if any.
        shows_stages: Whether Spark shows its running stages as a progress bar.
        brief: Whether the work takes seconds, too short for Java's second compiler to pay off.

    A process started by one that lends its Spark application gets a session in that (see `lend_spark`).

    Sends the code of this library to a cluster, whose Python (PYSPARK_PYTHON) must have the packages. A
    local session listens on the loopback address only, and has a web UI only if SPARK_UI_PORT names its
    port. SPARK_DRIVER_MEMORY sets the driver's memory; default 4g, or half of a smaller machine's or
    container's memory, because a local driver does all the work.
    """
    master = master or os.environ.get("SPARK_MASTER", LOCAL)
    settings = settings_for(master, java_options, brief)
    with _lock:
        session = _active_session()
        if session is None:
            session = _new_session(settings, shows_stages)
            tell_no_broken_connections(session.sparkContext)
        for name, value in settings.items():
            if name.startswith("spark.sql.") and name not in REMEMBERED:
                session.conf.set(name, value)
        # Python workers outlive a step: those of other code are no use to it.
        session.sparkContext.environment[CODE] = code_state()
        if not master.startswith("local"):
            _include_library(session.sparkContext)
    # PySpark logs each query error as JSON with its Java trace, which the exception repeats.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    return session


def _active_session() -> SparkSession | None:
    return SparkSession.builder.getOrCreate() if SparkContext._active_spark_context else None


def _new_session(settings: Mapping[str, str], shows_stages: bool) -> SparkSession:
    global _guest
    conf = SparkConf().setAll(list(settings.items()))
    gateway = _lender and _lender.gateway()
    if gateway is None and SparkContext._gateway is None and (_guest := find_lender()):
        gateway = _guest.gateway()
    if gateway is None:
        conf.set(BAR, str(shows_stages).lower())
        ensure_java(conf)
        return SparkSession.builder.config(conf=conf).getOrCreate()
    session = attach(gateway, conf)
    if shows_stages:
        show_stages(session)
    return session


def _start_to_lend() -> JavaGateway:
    if SparkContext._gateway is not None:
        # This process has a session already.
        return SparkContext._gateway
    master = os.environ.get("SPARK_MASTER", LOCAL)
    # A search among the steps shows a bar of its own.
    settings = {**settings_for(master, None, brief=False), BAR: "false"}
    gateway = start_java(SparkConf().setAll(list(settings.items())))
    context = start_context(gateway)
    if not master.startswith("local"):
        context.addFile(str(_library()))
    return gateway


@contextmanager
def lend_spark() -> Iterator[None]:
    """Let the processes that are started meanwhile use this process's Spark application.

    It is started if there is none yet. If its JVM has died, or this process uses that of another itself,
    nothing is changed: they start one of their own, or use that one, too.
    """
    global _lender
    if _lender is None and LENDER not in os.environ:
        # Without such sockets each process has an application of its own.
        with suppress(OSError):
            _lender = Lender(lambda: in_thread(_start_to_lend))
    if _lender is None or not _lender.is_usable:
        yield
    else:
        with _lender.offered():
            yield


def has_lost_spark(patience: float = 0) -> bool:
    """Tell whether the JVM that this process lent has died.

    Args:
        patience: Seconds to wait for its end: one that was killed takes a moment.
    """
    return _lender is not None and _lender.has_died(patience)


def name_jobs(session: SparkSession, group: str, description: str, in_background: bool = False) -> None:
    """Name the Spark jobs of this thread, and of those that inherit its properties.

    Args:
        session: The session.
        group: Name of the group of jobs.
        description: What the web UI shows.
        in_background: Whether other jobs go first.
    """
    if _guest is not None:
        _guest.name_jobs(group)
    context = session.sparkContext
    context.setJobGroup(group, description, interruptOnCancel=True)
    if in_background:
        context.setLocalProperty("spark.scheduler.pool", BACKGROUND)
    if current_thread() is main_thread():
        _cancel_when_interrupted(context, group)


def _cancel_when_interrupted(context: SparkContext, group: str) -> None:
    """Have an interruption of this process cancel its jobs, whose end PySpark waits for."""
    java = context._jsc.sc()

    def cancel() -> None:
        with suppress(Py4JError, OSError):
            java.cancelJobGroupAndFutureJobs(group)

    def interrupted(*_: object) -> None:
        # The connection of this thread may wait for an answer; another one has its own.
        with suppress(RuntimeError):
            # None can start when the process ends anyway.
            Thread(target=cancel, daemon=True).start()
        # PySpark warns of a job that failed, with Java's trace.
        warnings.simplefilter("ignore")
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)


def _include_library(context: SparkContext) -> None:
    """Send `common` to the workers of a cluster, unless this application has, and let them import it."""
    if not any(Path(file).name == LIBRARY for file in context.listFiles):
        context.addPyFile(str(_library()))
    elif LIBRARY not in (includes := context._python_includes or []):
        context._python_includes = [*includes, LIBRARY]


def _library() -> Path:
    """Write the archive of `common`; workers fetch it when they need it, so it lasts as this process."""
    library = copies.lasting_folder() / LIBRARY
    with zipfile.ZipFile(library, "w") as archive:
        for file in sorted((ROOT / "common").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
    return library
