"""What passes between Spark's workers and a place that they do not reach, by a folder that they do.

On one machine that is the temporary folder. On a cluster it is the one that MLflow too takes for this:
MLFLOW_DFS_TMP, by default on Spark's default file system; where that is the machine's own disk, the
workers must be seen to reach it.
"""

import os
import shutil
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlparse

from mlflow.environment_variables import MLFLOW_DFS_TMP
from pyspark.sql import SparkSession

from common.errors import UserError
from common.machine import copies, file_system
from common.machine.spark import file_uri

# What a user is told to set.
REMEDY = (
    f"set {MLFLOW_DFS_TMP.name} to a folder that the driver and all workers reach, "
    "as of a shared mount or hdfs://..."
)


def is_local(uri: str) -> bool:
    """Tell whether a URI is a path of this machine."""
    return urlparse(uri).scheme in ("", "file")


def workers_see(spark: SparkSession, path: Path) -> bool:
    """Tell whether what is at a path of this machine is there for all of Spark's workers that answer.

    It is taken for the same where a file has the same size, a folder the same names.
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
    """Tell whether all workers that answer see what the driver puts into a folder of this machine.

    Raises:
        OSError: the driver itself cannot write there.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".income-") as probe:
        return workers_see(spark, Path(probe.name))


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
        raise UserError(f"the workers of {master} do not reach {base} of this machine: {REMEDY}")
    return file_uri(folder)
