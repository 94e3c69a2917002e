"""Log Spark frames as run artifacts and read them back, for every kind of artifact store."""

import shutil
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import pyarrow.dataset as ds
from mlflow.exceptions import MlflowException
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from common.errors import UserError, first_line
from common.machine.file_system import has_system, literal
from common.machine.secrets import check_no_secret
from common.machine.spark_settings import file_uri
from common.machine.user_path import user_path
from common.store import artifacts, kept, staging
from common.store.locations import is_local, local_path


def log_frame(frame: DataFrame, path: str) -> None:
    """Log a frame as a Parquet artifact of the active run.

    Workers write it straight to the artifact store. If they cannot reach the store, they write it to a
    staging folder and the driver uploads it.

    Args:
        frame: The frame to log.
        path: The artifact's path, relative to the run's artifact root.

    Raises:
        UserError: There is no folder that both the driver and the workers can reach.
    """
    spark = frame.sparkSession
    target = mlflow.get_artifact_uri(path)
    if spark_has(spark, target):
        frame.write.parquet(target)
    elif (local := local_path(target)) and _reached(spark, local):
        _write_whole(frame, file_uri(local))
    else:
        place = staging.new_place(spark)
        mlflow.log_artifacts(str(_write_whole(frame, place)), path)


def read_frame(spark: SparkSession, uri: str) -> DataFrame:
    """Read a frame that `log_frame` wrote.

    Args:
        spark: The session.
        uri: runs:/<run id>/<path>, or the location of Parquet files.

    Raises:
        UserError: The run or artifact does not exist or is not whole, or the workers cannot reach it.
    """
    try:
        if kept.is_cut(uri):
            # Spark would read the rows that are left.
            raise UserError(f"frame {uri!r} cannot be read: {kept.CUT}")
        return spark.read.parquet(literal(readable_uri(spark, uri)))
    except (MlflowException, PySparkException) as error:
        raise UserError(f"frame {uri!r} cannot be read: {first_line(error)}") from None


def frame_if_there(spark: SparkSession, uri: str, path: str) -> DataFrame | None:
    """Read a frame at a path in an input; None if it is not known, or gone."""
    if not uri:
        return None
    with suppress(UserError):
        return read_frame(spark, f"{uri}/{path}")
    return None


def readable_uri(spark: SparkSession, uri: str) -> str:
    """Return a URI that Spark can read: the given location, or a copy that lasts as long as the step.

    Args:
        spark: The session.
        uri: runs:/<run id>/<path>, another URI, or a local path.

    Raises:
        UserError: The run or artifact does not exist, or the workers cannot reach it.
    """
    return for_spark(spark, absolute_uri(uri), uri)


def for_spark(spark: SparkSession, place: str, uri: str = "") -> str:
    """Return a URI where Spark can read a location; see `readable_uri`.

    Args:
        spark: The session.
        place: The location, as `absolute_uri` returns it.
        uri: The URI that the user gave, for fetching and error messages; `place` if empty.
    """
    if spark_has(spark, place):
        return place
    local = place.removeprefix("file://") if is_local(place) else artifacts.fetch(uri or place)
    return staging.to_workers(spark, Path(local))


def absolute_uri(uri: str) -> str:
    """Return the absolute URI of a run's artifact, a registered model or a local path.

    Raises:
        UserError: The run or model version does not exist, or the URI contains a password.
    """
    check_no_secret("URI", uri)
    place = artifacts.resolve(uri)
    local = local_path(place)
    return place if local is None else file_uri(user_path(local))


def writable_uri(spark: SparkSession, uri: str) -> str:
    """Return the URI of an output that workers can write to; a local path becomes a file URI.

    Raises:
        UserError: The workers cannot reach it, it cannot be written, or the URI contains a password.
    """
    check_no_secret("output", uri)
    local = local_path(uri)
    if local is None:
        return uri
    path = user_path(local).resolve()
    there = next(folder for folder in path.parents if folder.exists())
    if not there.is_dir():
        raise UserError(f"output {path} cannot be written: {there} is a file, not a folder")
    try:
        reached = staging.workers_reach(spark, there)
    except OSError as error:
        raise UserError(f"output {path} cannot be written: {error.strerror}") from None
    if not reached:
        master = spark.sparkContext.master
        raise UserError(f"output {path}: the workers of {master} cannot reach {there} on this machine")
    return file_uri(path)


def spark_has(spark: SparkSession, uri: str) -> bool:
    """Tell whether all workers can reach a URI by themselves; for a local path, False."""
    return not is_local(uri) and has_system(spark, urlparse(uri).scheme)


def _write_whole(frame: DataFrame, uri: str) -> Path:
    """Write Parquet, check that the driver sees every row, and return its local folder."""
    counted = Observation()
    frame.observe(counted, F.count(F.lit(1)).alias("rows")).write.parquet(uri)
    folder = staging.to_driver(frame.sparkSession, uri)
    found, written = ds.dataset(folder, format="parquet").count_rows(), counted.get["rows"]
    if found != written:
        shutil.rmtree(folder)
        kept = f"the workers wrote {written:,} rows to {uri}, but the driver sees {found:,}"
        raise UserError(f"{kept}: {staging.REMEDY}")
    return folder


def _reached(spark: SparkSession, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    return staging.workers_reach(spark, target.parent)
