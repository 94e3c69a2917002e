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

from common.machine.java import ensure_java
from common.machine.memory import machine_memory

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
LOG4J = ROOT / "conf" / "spark" / "log4j2.properties"
LIBRARY = "common.zip"
# Of the driver's JVM, if nothing is said: what is left is Python's, and the files' that are read.
MOST_MEMORY = 4 << 30
# Of this environment: the classes that its Spark loads (see common/machine/class_archive).
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"


def file_uri(path: Path) -> str:
    """Return a local path as Spark wants it: Hadoop would take an escaped space for another name."""
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
        java_options: of the driver's JVM. Default: to share the environment's class archive, if it
            has one.
        shows_stages: whether Spark shows a stage under way as a bar in the terminal.
        brief: whether the work is done in seconds, which Java's second compiler would not pay back.

    A cluster is sent this library's code; its Python (PYSPARK_PYTHON) must have the packages. A local
    session listens on the loopback address alone and has no web UI. Driver memory is the
    environment's SPARK_DRIVER_MEMORY; by default 4g, or half of what a smaller machine or container
    has: on a local master the driver does all the work.
    """
    master = master or os.environ.get("SPARK_MASTER", "local[*]")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Read from Parquet by columns, a vector could not be handed to a Python function.
        "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled": "false",
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY") or _driver_memory(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(shows_stages).lower(),
        # Between the JVM and its Python workers loopback's TCP waits 20 ms each way, a task.
        "spark.python.unix.domain.socket.enabled": str(hasattr(socket, "AF_UNIX")).lower(),
    }
    if java_options is None:
        java_options = [f"-XX:SharedArchiveFile={CLASS_ARCHIVE}"] if CLASS_ARCHIVE.is_file() else []
    # Java does without an archive that another Java made, and need not say so.
    options = [f"-Dlog4j2.configurationFile={LOG4J.as_uri()}", *java_options, "-Xlog:cds*=off"]
    # Throughput is what counts here, and G1's short pauses cost a search 5 of 60 s on two cores.
    options.append("-XX:+UseParallelGC")
    if brief:
        options.append("-XX:TieredStopAtLevel=1")
    # Spark splits them at spaces and takes quotes, as a shell does.
    settings["spark.driver.extraJavaOptions"] = shlex.join(options)
    if master.startswith("local"):
        # Else a worker is whatever python3 the PATH has, which need not have the packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        # On a cluster what a worker prints is in its own log, and the library comes after it has begun.
        settings["spark.python.daemon.module"] = "common.machine.worker_daemon"
        settings["spark.executorEnv.PYTHONPATH"] = str(ROOT)
        settings["spark.driver.host"] = settings["spark.driver.bindAddress"] = "127.0.0.1"
        # Two hundred shuffle partitions, Spark's default for clusters, are 200 tiny tasks here.
        settings["spark.sql.shuffle.partitions"] = str(os.cpu_count() or 1)
        if brief:
            # Half a second of planning anew, stage by stage, for queries of a second; but on a cluster
            # that joins its many shuffle partitions.
            settings["spark.sql.adaptive.enabled"] = "false"
    # PySpark logs every query error as JSON with its Java trace; the exception says the same.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    settings |= {"spark.app.name": "income", "spark.master": master}
    conf = SparkConf().setAll(list(settings.items()))
    ensure_java(conf)
    session = SparkSession.builder.config(conf=conf).getOrCreate()
    if not master.startswith("local"):
        _send_library(session)
    return session


def _driver_memory() -> str:
    return f"{min(MOST_MEMORY, machine_memory() // 2) >> 20}m"


def beside(session: SparkSession, work: Callable[..., T], *arguments: Any) -> Future[T]:
    """Start some work in a thread of its own; its Spark jobs are this session's.

    Returns:
        What gives the work's result, or raises its error.
    """
    pool = ThreadPoolExecutor(1)
    started = pool.submit(inheritable_thread_target(session)(work), *arguments)
    pool.shutdown(wait=False)
    return started


def _send_library(session: SparkSession) -> None:
    """Have the workers of a cluster, which start in folders of their own, import `common`."""
    if any(Path(file).name == LIBRARY for file in session.sparkContext.listFiles):
        return
    # Workers fetch it when they need it, so it stays until the end.
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(Path(folder, LIBRARY), "w") as archive:
        for file in sorted((ROOT / "common").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
    session.sparkContext.addPyFile(str(Path(folder, LIBRARY)))
