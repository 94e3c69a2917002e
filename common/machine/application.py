"""One Spark application for a process and those that it starts.

A JVM and its context take longer to start than most steps to run. So a process that starts steps starts
them once, and lends them: it listens on a socket, whose path the steps find in their environment. A step
that needs Spark connects, and gets an entrance of its own to the JVM. It holds the connection as long as
it lives. When it ends, in whatever way, its jobs are cancelled and its entrance is closed, with which the
JVM loses what the step held there. The JVM ends with the process that started it, whose pipe it reads.
"""

import atexit
import os
import shutil
import signal
import socket
from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from subprocess import TimeoutExpired
from threading import Lock, Thread, current_thread, main_thread
from typing import Any

from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from common.machine import copies
from common.machine.process import offered

# Where a process finds the socket, in its environment.
LENDER = "INCOME_SPARK"
# PySpark's names for an entrance to a JVM that is running.
PORT, SECRET = "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"
# What PySpark sets in a context of its own.
PYSPARKS = {"spark.serializer.objectStreamReset": "100", "spark.rdd.compress": "true"}


def start_context(gateway: JavaGateway) -> Any:
    """Start a Spark context and a session in a JVM that was started with their settings.

    This process itself does not see them: MLflow asks a session that it finds for its own settings.

    Returns:
        Java's SparkContext.
    """
    java: Any = gateway.jvm
    conf = java.org.apache.spark.SparkConf()
    for name, value in PYSPARKS.items():
        conf.setIfMissing(name, value)
    context = java.org.apache.spark.SparkContext.getOrCreate(conf)
    _sessions(java).builder().getOrCreate()
    return context


def attach(gateway: JavaGateway, conf: SparkConf) -> SparkSession:
    """Return a new session in an application that is running.

    Args:
        gateway: The entrance to its JVM.
        conf: What an application of this process's own would have.
    """
    SparkContext._ensure_initialized(gateway=gateway)
    java: Any = SparkContext._jvm
    shared = java.JavaSparkContext.fromSparkContext(java.org.apache.spark.SparkContext.getOrCreate())
    interrupted = signal.getsignal(signal.SIGINT)
    context = SparkContext(conf=conf, gateway=gateway, jsc=shared)
    if current_thread() is main_thread():
        # PySpark's handler cancels all jobs of the application, not this process's alone.
        signal.signal(signal.SIGINT, interrupted)
    atexit.register(shutil.rmtree, context._temp_dir, ignore_errors=True)
    first = _sessions(java).getDefaultSession().get()
    session = SparkSession(context, first.newSession())
    # Threads without a session of their own must not get that of a step which has ended.
    _sessions(java).setDefaultSession(first)
    return session


def show_stages(session: SparkSession) -> None:
    """Show running stages as a progress bar, until this process ends."""
    java: Any = session.sparkContext._jvm
    bar = java.org.apache.spark.ui.ConsoleProgressBar(session.sparkContext._jsc.sc())
    atexit.register(_stop, bar)


def _stop(bar: Any) -> None:
    with suppress(Py4JError, OSError):
        bar.stop()


def _sessions(java: Any) -> Any:
    return java.org.apache.spark.sql.classic.SparkSession


class Lender:
    """The application of this process, as others see it."""

    def __init__(self, start: Callable[[], Future[JavaGateway]]) -> None:
        """Start listening, and the application.

        Args:
            start: Starts a JVM with a Spark context and a session, beside.

        Raises:
            OSError: The folder of temporary files has too long a name for a socket.
        """
        # A process may run one workflow after another, each of which removes its copies at its end.
        self.path = str(copies.lasting_folder() / "spark")
        self._server = _Server(self.path, start)
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def is_usable(self) -> bool:
        """Whether there is a JVM or will be, as far as is known."""
        starting = self._server.starting
        return not starting.done() or _is_alive(starting)

    def has_died(self, patience: float = 0) -> bool:
        """Tell whether the JVM had started and has ended.

        Args:
            patience: Seconds to wait for its end.
        """
        starting = self._server.starting
        has_started = starting.done() and starting.exception() is None
        return has_started and not _is_alive(starting, patience)

    def gateway(self) -> JavaGateway | None:
        """Return the gateway to the JVM, once it has started; None if there is no JVM."""
        wait([self._server.starting])
        return self._server.starting.result() if self.is_usable else None

    def offered(self) -> AbstractContextManager[None]:
        """Let the processes that are started meanwhile find the application."""
        return offered(LENDER, self.path)


def _is_alive(started: Future[JavaGateway], patience: float = 0) -> bool:
    if started.exception() is not None:
        return False
    try:
        started.result().proc.wait(patience)
    except TimeoutExpired:
        return True
    return False


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, start: Callable[[], Future[JavaGateway]]) -> None:
        super().__init__(path, _Visit)
        self.starting = start()
        self.guests, self.lock = 0, Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the other process starts an application of its own."""


class _Visit(StreamRequestHandler):
    """The use of the application by another process, from when it asks until it ends."""

    server: _Server

    def handle(self) -> None:
        wait([self.server.starting])
        if not _is_alive(self.server.starting):
            return
        java: Any = self.server.starting.result().jvm
        context = java.org.apache.spark.SparkContext.getOrCreate()
        entrance = java.org.apache.spark.api.python.Py4JServer(context.conf())
        entrance.start()
        with self.server.lock:
            self.server.guests += 1
        jobs: set[str] = set()
        try:
            self.wfile.write(f"{entrance.getListeningPort()} {entrance.secret()}\n".encode())
            jobs.update(line.decode().strip() for line in self.rfile)
        finally:
            with self.server.lock:
                self.server.guests -= 1
            with suppress(Py4JError, OSError):
                self._clear(java, context, entrance, jobs)

    def _clear(self, java: Any, context: Any, entrance: Any, jobs: Collection[str]) -> None:
        for group in jobs:
            context.cancelJobGroupAndFutureJobs(group)
        entrance.shutdown()
        if not self.server.guests:
            # All sessions share what is cached; no step caches anything beside another.
            _sessions(java).getDefaultSession().get().catalog().clearCache()
        # Spark frees blocks, broadcasts and shuffles once the JVM has collected what stands for them.
        java.System.gc()


class Guest:
    """An entrance to the application of another process."""

    def __init__(self, connection: socket.socket, port: str, secret: str) -> None:
        self._connection = connection
        self._address = {PORT: port, SECRET: secret}

    def name_jobs(self, group: str) -> None:
        """Say which jobs are this process's: they are cancelled when it ends."""
        self._connection.sendall(f"{group}\n".encode())

    def gateway(self) -> JavaGateway:
        """Enter."""
        os.environ.update(self._address)
        try:
            return launch_gateway()
        finally:
            for name in self._address:
                del os.environ[name]


def find_lender() -> Guest | None:
    """Ask the process that started this one for an entrance to its application; None if it has none."""
    path = os.environ.get(LENDER)
    if not path or not Path(path).exists():
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        with connection.makefile() as said:
            told = said.readline().split()
    except OSError:
        told = []
    if len(told) != 2:
        connection.close()
        return None
    return Guest(connection, *told)
