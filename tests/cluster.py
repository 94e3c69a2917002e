"""A standalone cluster on loopback: Spark's own master and workers with one core each."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pyspark

from common.machine.spark_settings import CLASS_ARCHIVE, FIRST_COMPILER

SPARK_HOME = Path(pyspark.__file__).parent
# As the driver has it: without, each daemon and executor takes a second more. It is quoted for spaces,
# and Java is to say nothing where its classes come from other jars, as those of Spark's launcher.
ARCHIVED = (f'"-XX:SharedArchiveFile={CLASS_ARCHIVE}"', "-Xlog:cds*=off")
JAVA = [*FIRST_COMPILER, *(ARCHIVED if CLASS_ARCHIVE.is_file() else ())]
ENVIRONMENT = {
    **os.environ,
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_PYTHON": sys.executable,
    "JDK_JAVA_OPTIONS": " ".join(JAVA),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}
LOCAL = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
# In a file system of its own, so that the process does not see what others have in the folder.
HIDDEN = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"')


def can_hide(folder: Path) -> bool:
    """Tell whether a folder can be hidden from a process, which needs root."""
    try:
        return subprocess.run([*HIDDEN, folder, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def start(kind: str, *arguments: str, hidden: Path | None = None) -> subprocess.Popen[str]:
    """Start one of Spark's daemons; return the process, whose output is its log."""
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *arguments]
    if hidden is not None:
        command = [*HIDDEN, str(hidden), *command]
    return subprocess.Popen(
        command,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], pattern: str) -> str:
    """Read a daemon's log up to a line that matches a pattern; return the pattern's group."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found.group(1)
    raise AssertionError(f"{process.args!r} ended without a line like {pattern!r}")


@contextmanager
def standalone_cluster(
    folder: Path, workers: int = 2, hidden: Path | None = None
) -> Iterator[SimpleNamespace]:
    """Start a master and workers; yield the master's URL and the workers' processes.

    Args:
        folder: The folder for the workers' files.
        workers: Number of workers.
        hidden: A folder that the workers do not see.
    """
    daemons = [start("master.Master", *LOCAL)]
    try:
        url = wait_for(daemons[0], r"Starting Spark master at (spark://\S+)")
        for place in range(workers):
            work = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"worker{place}"))
            daemons.append(start("worker.Worker", *LOCAL, *work, url, hidden=hidden))
            wait_for(daemons[-1], r"(Successfully registered with master)")
        yield SimpleNamespace(url=url, workers=daemons[1:])
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.communicate()
