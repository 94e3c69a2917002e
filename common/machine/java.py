"""Start Spark's JVM, and filter the notices that it prints about itself."""

import atexit
import codecs
import locale
import os
import pwd
import re
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pyspark
from py4j.java_gateway import JavaGateway
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway

from common.errors import UserError
from common.machine.whole_file import can_be_written

NO_JAVA = (
    "Java did not start (its message is above; JAVA_HOME is {!r}): Spark needs Java 17, 21 or 25, in "
    "JAVA_HOME or on the PATH, and the memory that SPARK_DRIVER_MEMORY gives it"
)

# Spark uses a Java module that is still incubating, and looks for a BLAS library that it can do without.
# No option silences these notices, nor that of XGBoost's workers, which share this stream.
KNOWN = (b"WARNING: Using incubator modules: ", b"netlib-")
RANK = re.compile(rb"\[[0-9:]{8}\] Task [0-9]+ got rank [0-9]+\s*\Z")
RANK_BEGINS = re.compile(rb"\[(?:[0-9:]{0,8}|[0-9:]{8}\].*)\Z", re.DOTALL)


def ensure_java(conf: SparkConf) -> None:
    """Start the JVM of this process's PySpark if there is none yet.

    Args:
        conf: The configuration of the session; parts of it are options of the JVM.
    """
    if SparkContext._gateway is None:
        SparkContext._ensure_initialized(gateway=start_java(conf))


def start_java(conf: SparkConf) -> JavaGateway:
    """Start a JVM, and return the gateway to it.

    Args:
        conf: The configuration of the JVM, and of a session in it.

    Raises:
        UserError: There is no Java, or it does not start, and has said why; or SPARK_HOME names another
            Spark, PYSPARK_SUBMIT_ARGS no program, SPARK_LOCAL_IP no address, SPARK_LOCAL_DIRS no
            folder, or the system no user.
    """
    _check_user()
    _check_home()
    _check_arguments()
    _check_address()
    _check_folders()
    if sys.getfilesystemencoding() == "utf-8" != codecs.lookup(locale.getencoding()).name:
        # By the locale Java reads and writes the names of files; Python, in C's, takes them for UTF-8.
        os.environ["LC_ALL"] = "C.UTF-8"
    read, write = os.pipe()
    passing = Thread(target=_pass_on, args=(read,), daemon=True)
    passing.start()
    try:
        gateway = launch_gateway(conf, {"stderr": write})
    except BaseException as error:
        os.close(write)
        passing.join()
        if isinstance(error, PySparkRuntimeError):
            raise UserError(NO_JAVA.format(os.environ.get("JAVA_HOME", ""))) from None
        raise
    os.close(write)
    atexit.register(_finish, gateway.proc, passing)
    return gateway


def _check_user() -> None:
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        # As in a container that is started for any user id; Java's login takes no name but this one.
        raise UserError(
            f"user id {os.getuid()} has no name on this machine, and Spark needs one: add a line for it "
            "to /etc/passwd, or use another user (docker run --user)"
        ) from None


def _check_home() -> None:
    home = os.environ.get("SPARK_HOME")
    # PySpark starts whatever Spark is there, and calls what another version of it does not have.
    if home is not None and not any(Path(home, "jars").glob(f"spark-core_*-{pyspark.__version__}*.jar")):
        raise UserError(
            f"SPARK_HOME {home!r} has no Spark {pyspark.__version__}, the one of requirements.txt: unset "
            "SPARK_HOME, or let it name a Spark of that version"
        )


def _check_arguments() -> None:
    given = os.environ.get("PYSPARK_SUBMIT_ARGS")
    # Spark prints a hundred lines of help otherwise.
    if given is not None and "pyspark-shell" not in given:
        raise UserError(f"PYSPARK_SUBMIT_ARGS {given!r} must end with pyspark-shell, or be unset")


def _check_address() -> None:
    given = os.environ.get("SPARK_LOCAL_IP")
    if not given:
        return
    try:
        socket.getaddrinfo(given, None)
    except (OSError, UnicodeError):
        raise UserError(
            f"SPARK_LOCAL_IP {given!r} is no address that this machine knows: unset it, or give one of "
            "this machine, such as 127.0.0.1"
        ) from None


def _check_folders() -> None:
    given = os.environ.get("SPARK_LOCAL_DIRS")
    # Spark does without those that it cannot write to. Without any it ends as if it had been killed.
    if given and not any(can_be_written(Path(one, "file")) for one in given.split(",")):
        raise UserError(
            f"SPARK_LOCAL_DIRS {given!r} has no folder that can be written: unset it, or name one"
        )


def _finish(java: subprocess.Popen[bytes], passing: Thread) -> None:
    """If the JVM has ended, wait until its last output has been shown."""
    if java.poll() is not None:
        passing.join(timeout=5)


def _pass_on(source: int) -> None:
    with open(source, "rb", buffering=0) as given, open(2, "wb", buffering=0, closefd=False) as shown:
        begun = b""
        while chunk := given.read(1 << 16):
            lines = (begun + chunk).splitlines(keepends=True)
            begun = lines.pop() if _may_be_known(lines[-1]) else b""
            _write(shown, b"".join(line for line in lines if not _is_known(line)))
        _write(shown, begun)


def _is_known(line: bytes) -> bool:
    return line.startswith(KNOWN) or RANK.match(line) is not None


def _may_be_known(line: bytes) -> bool:
    """Tell whether an incomplete line may become a known notice; if not, it is shown at once."""
    whole = line.endswith((b"\n", b"\r"))
    begins = any(known.startswith(line) for known in KNOWN) or RANK_BEGINS.match(line) is not None
    return not whole and (line.startswith(KNOWN) or begins)


def _write(shown: Any, text: bytes) -> None:
    while text:
        text = text[shown.write(text) :]
