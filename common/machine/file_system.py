"""File operations on any Hadoop file system that Spark knows, including local paths."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from common.errors import UserError, first_line
from common.machine.spark_settings import file_uri


def literal(uri: str) -> str:
    """Escape the wildcards in a URI, which Spark's readers would otherwise expand."""
    return re.sub(r"([\[\]*?{}\\])", r"\\\1", uri)


def data_files(spark: SparkSession, uri: str) -> list[str]:
    """Return the URI of a file, or the sorted URIs of the files in a folder that are not hidden.

    Empty files are left out.

    Raises:
        UserError: Nothing exists at the URI, or there is no file system for its scheme.
    """
    with _telling(uri):
        return sorted(file.getPath().toString() for file in _files(spark, uri))


def read_head(spark: SparkSession, file: str, size: int) -> bytes:
    """Return the first bytes of a file, decompressed if its name says so (.gz, .bz2, ...).

    Args:
        spark: The session.
        file: The URI of the file.
        size: The largest number of bytes.

    Raises:
        UserError: The file cannot be read.
    """
    with _telling(file):
        java: Any = spark
        system, path = _open(spark, file)
        codecs = java._jvm.org.apache.hadoop.io.compress.CompressionCodecFactory
        codec = codecs(java._jsc.hadoopConfiguration()).getCodec(path)
        stream = system.open(path)
        try:
            return bytes((stream if codec is None else codec.createInputStream(stream)).readNBytes(size))
        except Py4JJavaError as error:
            if "native" not in first_line(error):
                raise
            # Hadoop has some codecs only as libraries of the system, which PySpark comes without.
            ending = file.rpartition(".")[2]
            raise UserError(f"{file} is compressed as .{ending}: unpack it, or use gzip") from None
        finally:
            stream.close()


def fingerprint(spark: SparkSession, uri: str) -> str:
    """Hash the file system's metadata of a file, or of a folder's files that are not hidden.

    The metadata are the name, the length, and a stand-in for the content: an entity tag (object
    stores), a checksum (HDFS) or, where neither exists, the modification time.

    Returns:
        64 hex digits.

    Raises:
        UserError: Nothing exists at the URI, there is no file system for its scheme, or the file system
            does not answer.
    """
    with _telling(uri):
        system, path = _open(spark, uri)
        start = len(path.toString())
        listed = sorted(
            (file.getPath().toString()[start:], file.getLen(), _content_mark(spark, system, file))
            for file in _files(spark, uri)
        )
    if not listed:
        raise UserError(f"{uri} contains no non-empty file")
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _content_mark(spark: SparkSession, system: Any, file: Any) -> str:
    java: Any = spark
    etag = java._jvm.org.apache.hadoop.fs.EtagSource
    if is_instance_of(java.sparkContext._gateway, file, etag) and file.getEtag():
        return f"etag {file.getEtag()}"
    checksum = system.getFileChecksum(file.getPath())
    return str(file.getModificationTime()) if checksum is None else f"sum {checksum.toString()}"


def _files(spark: SparkSession, uri: str) -> Iterator[Any]:
    """Yield the status of each file that is neither empty nor hidden."""
    system, path = _open(spark, uri)
    if not system.exists(path):
        local = f" (relative paths start at {Path.cwd()})" if uri.startswith("file:") else ""
        raise UserError(f"{uri} does not exist{local}")
    files = system.listFiles(path, True)
    while files.hasNext():
        file = files.next()
        parts = file.getPath().toString().removeprefix(path.toString()).split("/")
        if file.getLen() and not any(part.startswith(("_", ".")) for part in parts):
            yield file


@contextmanager
def _telling(uri: str) -> Iterator[None]:
    try:
        yield
    except Py4JJavaError as error:
        raise UserError(f"{uri} cannot be read: {first_line(error)}") from None


def exists(spark: SparkSession, uri: str) -> bool:
    """Tell whether a file or folder exists at a URI.

    Raises:
        UserError: There is no file system for the URI's scheme, or it does not answer.
    """
    system, path = _open(spark, uri)
    with _telling(uri):
        return bool(system.exists(path))


def names_in(spark: SparkSession, uri: str) -> list[str]:
    """Return the sorted names of the files and folders in a folder; none of a file, or of nothing.

    Raises:
        UserError: There is no file system for the URI's scheme, or it does not answer.
    """
    system, path = _open(spark, uri)
    with _telling(uri):
        if not system.exists(path) or not system.getFileStatus(path).isDirectory():
            return []
        return sorted(file.getPath().getName() for file in system.listStatus(path))


def has_system(spark: SparkSession, scheme: str) -> bool:
    """Tell whether Spark can read and write URIs with this scheme."""
    if scheme in ("http", "https"):
        # Hadoop's HTTP file system can only read single files.
        return False
    java: Any = spark
    try:
        system = java._jvm.org.apache.hadoop.fs.FileSystem
        system.getFileSystemClass(scheme or "file", java._jsc.hadoopConfiguration())
    except Py4JJavaError:
        return False
    return True


def qualified(spark: SparkSession, path: str) -> str:
    """Return a path with the scheme and host of its file system.

    Raises:
        UserError: There is no file system for the path's scheme, or it does not answer.
    """
    system, found = _open(spark, path)
    return str(system.makeQualified(found).toString())


def copy_to_local(spark: SparkSession, uri: str, path: Path) -> None:
    """Copy a file or folder to a local path."""
    system, source = _open(spark, uri)
    system.copyToLocalFile(False, source, _open(spark, file_uri(path))[1], True)


def copy_from_local(spark: SparkSession, path: Path, uri: str) -> None:
    """Copy a local file or folder to a URI.

    Raises:
        UserError: The URI cannot be written.
    """
    system, target = _open(spark, uri)
    try:
        system.mkdirs(target.getParent())
        system.copyFromLocalFile(False, True, _open(spark, file_uri(path))[1], target)
    except Py4JJavaError as error:
        raise UserError(f"{uri} cannot be written: {first_line(error)}") from None


def delete(spark: SparkSession, uri: str) -> None:
    """Delete a file, or a folder with its contents, if it exists."""
    system, path = _open(spark, uri)
    system.delete(path, True)


@contextmanager
def replacing(spark: SparkSession, uris: Sequence[str]) -> Iterator[list[str]]:
    """Replace folders on success only: yield a hidden sibling of each to write to, then rename.

    Existing folders are moved aside first, and moved back if a rename fails. Where nothing was written
    to the sibling, the folder is removed. On failure everything is as before.

    Args:
        spark: The session.
        uris: The URIs of the folders to replace.

    Yields:
        The URIs to write to, in the order of `uris`.
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
            delete(spark, _beside(uri, f"{mark}.old"))
    finally:
        for part in parts:
            delete(spark, part)


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
