"""The Spark session that every step shares."""

import atexit
import logging
import os
import shlex
import shutil
import socket
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pyspark import SparkConf, inheritable_thread_target
from pyspark.sql import SparkSession

from common import PROJECT, ROOT
from common.machine.java import ensure_java
from common.machine.memory import machine_memory

T = TypeVar("T")
LOG4J = ROOT / "conf" / "spark" / "log4j2.properties"
LIBRARY = "common.zip"
# The most memory that the driver's JVM gets by default; the rest is for Python and the file cache.
MOST_MEMORY = 4 << 30
# The archive of Spark's classes for this environment (see common/machine/class_archive).
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"


def file_uri(path: Path) -> str:
    """Return the URI of a local path for Spark: Hadoop does not decode escaped spaces."""
    return f"file://{path.resolve()}"


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

    Sends the code of this library to a cluster, whose Python (PYSPARK_PYTHON) must have the packages. A
    local session listens on the loopback address only and has no web UI. SPARK_DRIVER_MEMORY sets the
    driver's memory; default 4g, or half of a smaller machine's or container's memory, because a local
    driver does all the work.
    """
    master = master or os.environ.get("SPARK_MASTER", "local[*]")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # With columnar input from Parquet, Spark cannot pass a vector to a Python function.
        "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled": "false",
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY") or _driver_memory(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(shows_stages).lower(),
        # TCP on the loopback device delays each task by 20 ms each way.
        "spark.python.unix.domain.socket.enabled": str(hasattr(socket, "AF_UNIX")).lower(),
    }
    # A task has one core. Threads beyond it, of XGBoost or NumPy, spin while they wait for each other.
    settings |= {f"spark.executorEnv.{name}": "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    if java_options is None:
        java_options = [f"-XX:SharedArchiveFile={CLASS_ARCHIVE}"] if CLASS_ARCHIVE.is_file() else []
    # Java ignores an archive made by another Java; its warning is of no use.
    options = [f"-Dlog4j2.configurationFile={LOG4J.as_uri()}", *java_options, "-Xlog:cds*=off"]
    # Throughput counts here: G1's short pauses cost 5 of a search's 60 s on two cores.
    options.append("-XX:+UseParallelGC")
    if brief:
        options.append("-XX:TieredStopAtLevel=1")
    # Spark splits the options as a shell does, quotes included.
    settings["spark.driver.extraJavaOptions"] = shlex.join(options)
    if master.startswith("local"):
        # The default is the first python3 on the PATH, which may lack the packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        # Not on a cluster: there, workers have their own logs, and get the library after they start.
        settings["spark.python.daemon.module"] = "common.machine.worker_daemon"
        settings["spark.executorEnv.PYTHONPATH"] = str(ROOT)
        settings["spark.driver.host"] = settings["spark.driver.bindAddress"] = "127.0.0.1"
        # Spark's default of 200 would make 200 tiny tasks.
        settings["spark.sql.shuffle.partitions"] = str(os.cpu_count() or 1)
        if brief:
            # Replanning takes half a second of queries that take one. A cluster needs it, to coalesce its
            # many shuffle partitions.
            settings["spark.sql.adaptive.enabled"] = "false"
    # PySpark logs each query error as JSON with its Java trace, which the exception repeats.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    settings |= {"spark.app.name": PROJECT, "spark.master": master}
    conf = SparkConf().setAll(list(settings.items()))
    ensure_java(conf)
    session = SparkSession.builder.config(conf=conf).getOrCreate()
    if not master.startswith("local"):
        _send_library(session)
    return session


def _driver_memory() -> str:
    return f"{min(MOST_MEMORY, machine_memory() // 2) >> 20}m"


def beside(session: SparkSession, work: Callable[..., T], *arguments: Any) -> Future[T]:
    """Start work in its own thread, with the Spark properties of the current one.

    Returns:
        A future of the result.
    """
    return in_thread(inheritable_thread_target(session)(work), *arguments)


def in_thread(work: Callable[..., T], *arguments: Any) -> Future[T]:
    """Start work in its own thread, and return a future of the result."""
    pool = ThreadPoolExecutor(1)
    started = pool.submit(work, *arguments)
    pool.shutdown(wait=False)
    return started


def _send_library(session: SparkSession) -> None:
    """Send `common` to the workers of a cluster."""
    if any(Path(file).name == LIBRARY for file in session.sparkContext.listFiles):
        return
    # Workers fetch the archive when they need it, so it must last until the process ends.
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(Path(folder, LIBRARY), "w") as archive:
        for file in sorted((ROOT / "common").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
    session.sparkContext.addPyFile(str(Path(folder, LIBRARY)))
