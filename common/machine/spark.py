"""The Spark session that every step shares."""

import logging
import os
import shlex
import signal
import socket
import sys
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

from common import PROJECT, ROOT
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
from common.machine.memory import machine_memory
from common.machine.threads import in_thread

LOG4J = ROOT / "conf" / "spark" / "log4j2.properties"
POOLS = ROOT / "conf" / "spark" / "pools.xml"
# The pool of work that others go before.
BACKGROUND = "background"
# Java's second compiler took half of the processor time of a workflow on a small table: it compiles what
# is never needed again. Only the first one; or forty times as many calls and loops before the second.
# The first alone has 48 MB for code, which a session of some minutes fills: it drops methods and compiles
# them again. With the second it has 240.
FIRST_COMPILER = ["-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m"]
LATE_COMPILER = [
    "-XX:Tier4InvocationThreshold=200000",
    "-XX:Tier4MinInvocationThreshold=24000",
    "-XX:Tier4CompileThreshold=600000",
    "-XX:Tier4BackEdgeThreshold=1600000",
]
BAR = "spark.ui.showConsoleProgress"
REMEMBERED = ("spark.ui.retainedJobs", "spark.ui.retainedStages", "spark.sql.ui.retainedExecutions")
LIBRARY = "common.zip"
# The default master: every core of this machine.
LOCAL = "local[*]"
CODE = "INCOME_CODE"
A_YEAR = 365 * 24 * 3_600_000  # milliseconds
# The most memory that the driver's JVM gets by default; the rest is for Python and the file cache.
MOST_MEMORY = 4 << 30
# The archive of Spark's classes for this environment (see common/machine/class_archive).
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"


def file_uri(path: Path) -> str:
    """Return the URI of a local path for Spark: Hadoop does not decode escaped spaces."""
    return f"file://{path.resolve()}"


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
    settings = _settings(master, java_options, brief)
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
    settings = {**_settings(master, None, brief=False), BAR: "false"}
    gateway = start_java(SparkConf().setAll(list(settings.items())))
    context = start_context(gateway)
    if not master.startswith("local"):
        context.addFile(str(_library()))
    return gateway


def _settings(master: str, java_options: Sequence[str] | None, brief: bool) -> dict[str, str]:
    settings = {
        "spark.app.name": PROJECT,
        "spark.master": master,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # By these the workers of each session's SQL and of RDDs would differ, and load libraries anew.
        "spark.sql.artifact.isolation.enabled": "false",
        "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "false",
        # Each call that makes a column would tell Java from where it was called, for messages of errors.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        # Before ICU puts a first text in lower case, it lists all title cases for two seconds.
        "spark.sql.icu.caseMappings.enabled": "false",
        # With columnar input from Parquet, Spark cannot pass a vector to a Python function.
        "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled": "false",
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY") or _driver_memory(),
        # TCP on the loopback device delays each task by 20 ms each way.
        "spark.python.unix.domain.socket.enabled": str(hasattr(socket, "AF_UNIX")).lower(),
        # Work in the background shares the application, and leaves it to the rest.
        "spark.scheduler.mode": "FAIR",
        "spark.scheduler.allocation.file": file_uri(POOLS),
    }
    port = os.environ.get("SPARK_UI_PORT", "")
    settings |= {"spark.ui.enabled": str(bool(port)).lower(), "spark.ui.port": port or "0"}
    if not port:
        # Spark remembers for its UI what has run; an application that many steps share would grow by it.
        settings |= dict.fromkeys(REMEMBERED, "100")
    # A task has one core. Threads beyond it, of XGBoost or NumPy, spin while they wait for each other.
    settings |= {f"spark.executorEnv.{name}": "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    # Spark splits the options as a shell does, quotes included.
    settings["spark.driver.extraJavaOptions"] = shlex.join(_java_options(java_options, brief))
    if master.startswith("local"):
        # The first python3 on the PATH, the default, may lack the packages, as may one that is set.
        os.environ["PYSPARK_PYTHON"] = sys.executable
        # The address of the web UI.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # Not on a cluster: there, workers have their own logs, and get the library after they start.
        settings["spark.python.daemon.module"] = "common.machine.worker_daemon"
        settings["spark.executorEnv.PYTHONPATH"] = str(ROOT)
        # After a computer's sleep the driver would take the executor for dead, which is the same process.
        settings["spark.storage.blockManagerHeartbeatTimeoutMs"] = str(A_YEAR)
        settings["spark.driver.host"] = settings["spark.driver.bindAddress"] = "127.0.0.1"
        # Spark's default of 200 would make 200 tiny tasks.
        settings["spark.sql.shuffle.partitions"] = str(os.cpu_count() or 1)
        if brief:
            # Replanning takes half a second of queries that take one. A cluster needs it, to coalesce its
            # many shuffle partitions.
            settings["spark.sql.adaptive.enabled"] = "false"
    return settings


def _java_options(given: Sequence[str] | None, brief: bool) -> list[str]:
    if given is None:
        given = [f"-XX:SharedArchiveFile={CLASS_ARCHIVE}"] if CLASS_ARCHIVE.is_file() else []
    # Java ignores an archive made by another Java; its warning is of no use.
    options = [f"-Dlog4j2.configurationFile={LOG4J.as_uri()}", *given, "-Xlog:cds*=off"]
    # Throughput counts here: G1's short pauses cost 5 of a search's 60 s on two cores.
    options.append("-XX:+UseParallelGC")
    return [*options, *(FIRST_COMPILER if brief else LATE_COMPILER)]


def _driver_memory() -> str:
    return f"{min(MOST_MEMORY, machine_memory() // 2) >> 20}m"


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
