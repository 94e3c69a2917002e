"""A staging folder to exchange files between Spark workers and locations that they cannot reach.

On one machine it is the temporary folder. On a cluster it is MLFLOW_DFS_TMP, the folder that MLflow uses
for the same purpose, by default on Spark's default file system. If that is a local disk, a check makes
sure that the workers reach it.
"""

import os
import shutil
import tempfile
import uuid
from pathlib import Path

from mlflow.environment_variables import MLFLOW_DFS_TMP
from pyspark.sql import SparkSession

from common.errors import UserError
from common.machine import copies, file_system
from common.machine.spark_settings import file_uri
from common.store.locations import is_local

REMEDY = (
    f"set {MLFLOW_DFS_TMP.name} to a folder that the driver and all workers can reach, "
    "such as one on a shared mount or on hdfs://..."
)


def workers_see(spark: SparkSession, path: Path) -> bool:
    """Tell whether all Spark workers that answer see the same content at a local path as the driver.

    Files are compared by size, folders by the names in them.
    """
    context = spark.sparkContext
    if str(context.master).startswith("local"):
        return True
    name, tasks = str(path.resolve()), 2 * context.defaultParallelism

    def look(_: object = None) -> object:
        if os.path.isdir(name):
            return sorted(os.listdir(name))
        return os.path.getsize(name) if os.path.exists(name) else None

    seen = context.parallelize(range(tasks), tasks).map(look).collect()
    return look() is not None and all(found == look() for found in seen)


def workers_reach(spark: SparkSession, folder: Path) -> bool:
    """Tell whether all workers that answer see a file that the driver creates in a local folder.

    Raises:
        OSError: The driver itself cannot write to the folder.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".income-") as probe:
        return workers_see(spark, Path(probe.name))


def staging_folder(spark: SparkSession) -> str:
    """Return the URI of this process's own folder that the driver and all workers can reach.

    Raises:
        UserError: There is no such folder.
    """
    return copies.copy_once("staging", lambda _: _make_folder(spark))


def new_place(spark: SparkSession) -> str:
    """Return a new, unused URI in the staging folder that workers can write to."""
    return f"{staging_folder(spark)}/{uuid.uuid4().hex}"


def to_driver(spark: SparkSession, uri: str) -> Path:
    """Return a local path of what workers wrote to a URI: the URI's own path, or that of a copy."""
    if is_local(uri):
        return Path(uri.removeprefix("file://"))
    target = copies.new_folder() / "copy"
    file_system.copy_to_local(spark, uri, target)
    return target


def to_workers(spark: SparkSession, path: Path) -> str:
    """Return a URI where workers can read what is at a local path: its own, or that of a copy.

    Raises:
        UserError: The workers do not see the path, and there is no staging folder for a copy.
    """

    def copy(_: Path) -> str:
        place = f"{new_place(spark)}/{path.name}"
        file_system.copy_from_local(spark, path, place)
        return place

    path = path.resolve()
    return file_uri(path) if workers_see(spark, path) else copies.copy_once(f"staged:{path}", copy)


def _make_folder(spark: SparkSession) -> str:
    home = file_system.qualified(spark, MLFLOW_DFS_TMP.get())
    if not is_local(home):
        place = f"{home}/income-{uuid.uuid4().hex}"
        copies.at_removal(lambda: file_system.delete(spark, place))
        return place
    folder, base = copies.new_folder(), tempfile.gettempdir()
    if MLFLOW_DFS_TMP.is_set():
        base = home.removeprefix("file:")
        folder = Path(base, f"income-{uuid.uuid4().hex}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{MLFLOW_DFS_TMP.name}={base} cannot be written: {error.strerror}") from None
        copies.at_removal(lambda: shutil.rmtree(folder, ignore_errors=True))
    if not workers_reach(spark, folder):
        master = spark.sparkContext.master
        raise UserError(f"the workers of {master} cannot reach {base} on this machine: {REMEDY}")
    return file_uri(folder)
