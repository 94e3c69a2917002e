"""Files where Spark has them: on any of Hadoop's file systems, local paths included."""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from common.errors import UserError, first_line


def literal(uri: str) -> str:
    """Return a URI as Spark's readers take it for itself: else they look for what its wildcards match."""
    return re.sub(r"([\[\]*?{}\\])", r"\\\1", uri)


def data_files(spark: SparkSession, uri: str) -> list[str]:
    """Return the URIs of a file, or of those of a folder that are not hidden, in order.

    Raises:
        UserError: there is nothing, or no file system of this kind.
    """
    system, path = _open(spark, uri)
    found = []
    try:
        if not system.exists(path):
            local = f" (a relative path starts at {Path.cwd()})" if uri.startswith("file:") else ""
            raise UserError(f"{uri} does not exist{local}")
        files = system.listFiles(path, True)
        while files.hasNext():
            file = files.next()
            name = file.getPath().toString()
            parts = name.removeprefix(path.toString()).split("/")
            if file.getLen() and not any(part.startswith(("_", ".")) for part in parts):
                found.append(name)
    except Py4JJavaError as error:
        raise UserError(f"{uri} cannot be read: {first_line(error)}") from None
    return sorted(found)


def exists(spark: SparkSession, uri: str) -> bool:
    """Tell whether there is a file or folder.

    Raises:
        UserError: there is no file system of this kind, or it does not answer.
    """
    system, path = _open(spark, uri)
    try:
        return bool(system.exists(path))
    except Py4JJavaError as error:
        raise UserError(f"{uri} cannot be read: {first_line(error)}") from None


@contextmanager
def replacing(spark: SparkSession, uris: Sequence[str]) -> Iterator[list[str]]:
    """Give a hidden name beside each of some folders; on success these take the folders' places.

    What was there is moved aside first, and back should anything fail; a name that was not written to
    leaves nothing in its place. On failure all is as before.
    """
    mark = uuid.uuid4().hex[:8]
    parts = [_beside(uri, f"{mark}.part") for uri in uris]
    try:
        yield parts
        moved: list[tuple[str, str]] = []
        try:
            for uri, part in zip(uris, parts, strict=True):
                for source, target in ((uri, _beside(uri, f"{mark}.old")), (part, uri)):
                    if exists(spark, source):
                        _rename(spark, source, target)
                        moved.append((source, target))
        except BaseException:
            for source, target in reversed(moved):
                _rename(spark, target, source)
            raise
        for uri in uris:
            _delete(spark, _beside(uri, f"{mark}.old"))
    finally:
        for part in parts:
            _delete(spark, part)


def _beside(uri: str, ending: str) -> str:
    folder, _, name = uri.rstrip("/").rpartition("/")
    return f"{folder}/.{name}.{ending}"


def _open(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    java: Any = spark
    try:
        path = java._jvm.org.apache.hadoop.fs.Path(uri)
        return path.getFileSystem(java._jsc.hadoopConfiguration()), path
    except Py4JJavaError as error:
        raise UserError(f"{uri} cannot be reached: {first_line(error)}") from None


def _rename(spark: SparkSession, source: str, target: str) -> None:
    system, path = _open(spark, source)
    if not system.rename(path, _open(spark, target)[1]):
        raise OSError(f"{source} cannot be renamed to {target}")


def _delete(spark: SparkSession, uri: str) -> None:
    system, path = _open(spark, uri)
    system.delete(path, True)
