"""What passes between Spark's workers and a place that they do not reach, by a folder that they do.

On one machine that is the temporary folder. On a cluster it is the one that MLflow too takes for this:
MLFLOW_DFS_TMP, by default on Spark's default file system; where that is the machine's own disk, the
workers must be seen to reach it.
"""

import os
import shutil
import uuid
from pathlib import Path
from urllib.parse import urlparse

from mlflow.environment_variables import MLFLOW_DFS_TMP
from pyspark.sql import SparkSession

from common import copies, file_system
from common.errors import UserError
from common.spark import file_uri

# What a user is told to set.
REMEDY = (
    f"set {MLFLOW_DFS_TMP.name} to a folder that the driver and all workers reach, "
    "as of a shared mount or hdfs://..."
)


def is_local(uri: str) -> bool:
    """Tell whether a URI is a path of this machine."""
    return urlparse(uri).scheme in ("", "file")


def workers_see(spark: SparkSession, path: Path) -> bool:
    """Tell whether a path of this machine is there for all of Spark's workers that answer."""
    context = spark.sparkContext
    if str(context.master).startswith("local"):
        return True
    name, tasks = str(path.resolve()), 2 * context.defaultParallelism
    seen = context.parallelize(range(tasks), tasks).map(lambda _: os.path.exists(name))
    return all(seen.collect())


def staging_folder(spark: SparkSession) -> str:
    """Return the URI of a folder of this process's own that driver and workers reach.

    Raises:
        UserError: there is none.
    """
    return copies.copy_once("staging", lambda _: _make_folder(spark))


def new_place(spark: SparkSession) -> str:
    """Return a URI at which workers can write, and nothing is yet."""
    return f"{staging_folder(spark)}/{uuid.uuid4().hex}"


def to_driver(spark: SparkSession, uri: str) -> Path:
    """Return where on this machine is what workers left at a URI: there, or a copy."""
    if is_local(uri):
        return Path(uri.removeprefix("file://"))
    target = copies.new_folder() / "copy"
    file_system.copy_to_local(spark, uri, target)
    return target


def to_workers(spark: SparkSession, path: Path) -> str:
    """Return the URI at which workers read what is at a path of this machine: there, or a copy.

    Raises:
        UserError: they do not see the path, and there is no folder for a copy.
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
    folder = copies.new_folder()
    if MLFLOW_DFS_TMP.is_set():
        folder = Path(home.removeprefix("file:")) / folder.parent.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{MLFLOW_DFS_TMP.name}={home} cannot be written: {error.strerror}") from None
        copies.at_removal(lambda: shutil.rmtree(folder, ignore_errors=True))
    if not workers_see(spark, folder):
        master = spark.sparkContext.master
        raise UserError(f"the workers of {master} do not reach {folder.parent}: {REMEDY}")
    return file_uri(folder)
