"""What a Spark session is started with."""

import os
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from common import PROJECT, ROOT
from common.machine.memory import machine_memory

LOG4J = ROOT / "conf" / "spark" / "log4j2.properties"
POOLS = ROOT / "conf" / "spark" / "pools.xml"
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
# The default master: every core of this machine.
LOCAL = "local[*]"
A_YEAR = 365 * 24 * 3_600_000  # milliseconds
# The most memory that the driver's JVM gets by default; the rest is for Python and the file cache.
MOST_MEMORY = 4 << 30
# The archive of Spark's classes for this environment (see common/machine/class_archive).
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"


def file_uri(path: Path) -> str:
    """Return the URI of a local path for Spark: Hadoop does not decode escaped spaces."""
    return f"file://{path.resolve()}"


def settings_for(master: str, java_options: Sequence[str] | None, brief: bool) -> dict[str, str]:
    """Return the settings of a session; for the arguments see `spark.get_session`."""
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
        settings |= _local_settings(brief)
    return settings


def _local_settings(brief: bool) -> dict[str, str]:
    """Return what is set on this machine alone; its Python workers are of this environment."""
    # The first python3 on the PATH, the default, may lack the packages, as may one that is set.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    # The address of the web UI.
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings = {
        # Not on a cluster: there, workers have their own logs, and get the library after they start.
        "spark.python.daemon.module": "common.machine.worker_daemon",
        "spark.executorEnv.PYTHONPATH": str(ROOT),
        # After a computer's sleep the driver would take the executor for dead, which is the same process.
        "spark.storage.blockManagerHeartbeatTimeoutMs": str(A_YEAR),
        **dict.fromkeys(("spark.driver.host", "spark.driver.bindAddress"), "127.0.0.1"),
        # Spark's default of 200 would make 200 tiny tasks.
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
    }
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
