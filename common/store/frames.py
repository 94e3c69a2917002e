"""Spark's frames among a run's artifacts: kept, and read back, wherever the store has its artifacts."""

import shutil
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import pyarrow.dataset as ds
from mlflow.exceptions import MlflowException
from mlflow.utils.file_utils import local_file_uri_to_path
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from common.errors import UserError, first_line
from common.machine.file_system import has_system, literal
from common.machine.secrets import check_no_secret
from common.machine.spark import file_uri
from common.store import artifacts, staging


def log_frame(frame: DataFrame, path: str) -> None:
    """Keep a frame as Parquet under the active run's artifacts.

    Workers write it where the store has it, or, where they do not reach that, where the driver can take
    it from.

    Raises:
        UserError: there is no place that both reach.
    """
    spark = frame.sparkSession
    target = mlflow.get_artifact_uri(path)
    if spark_has(spark, target):
        frame.write.parquet(target)
    elif staging.is_local(target) and _reached(spark, _path(target)):
        _write_whole(frame, file_uri(_path(target)))
    else:
        place = staging.new_place(spark)
        mlflow.log_artifacts(str(_write_whole(frame, place)), path)


def read_frame(spark: SparkSession, uri: str) -> DataFrame:
    """Read a frame that `log_frame` kept.

    Args:
        spark: the session.
        uri: runs:/<run id>/<path>, or where Parquet is.

    Raises:
        UserError: there is no such run or artifact, or workers cannot get at it.
    """
    try:
        return spark.read.parquet(literal(readable_uri(spark, uri)))
    except (MlflowException, PySparkException) as error:
        raise UserError(f"frame {uri!r} cannot be read: {first_line(error)}") from None


def readable_uri(spark: SparkSession, uri: str) -> str:
    """Return where Spark reads what is at a URI: there, or a copy that lasts as long as the step.

    Args:
        spark: the session.
        uri: runs:/<run id>/<path>, another URI, or a local path.

    Raises:
        UserError: there is no such run or artifact, or workers cannot get at it.
    """
    return for_spark(spark, absolute_uri(uri), uri)


def for_spark(spark: SparkSession, place: str, uri: str = "") -> str:
    """Return where Spark reads what is at a place; see `readable_uri`.

    Args:
        spark: the session.
        place: as `absolute_uri` gives it.
        uri: by which a user knows it; else that of the place.
    """
    if spark_has(spark, place):
        return place
    local = place.removeprefix("file://") if staging.is_local(place) else artifacts.fetch(uri or place)
    return staging.to_workers(spark, Path(local))


def absolute_uri(uri: str) -> str:
    """Return where something is, as it can be told: of a run's artifact or a local path its own URI.

    Raises:
        UserError: there is no such run or version, or the URI has a password in it.
    """
    check_no_secret("URI", uri)
    place = artifacts.resolve(uri)
    return file_uri(_path(place)) if staging.is_local(place) else place


def writable_uri(spark: SparkSession, uri: str) -> str:
    """Return a URI, or a local path as one, at which workers can write.

    Raises:
        UserError: they do not reach it, or nobody can write there.
    """
    check_no_secret("output", uri)
    if not staging.is_local(uri):
        return uri
    path = _path(uri).resolve()
    there = next(folder for folder in path.parents if folder.is_dir())
    try:
        reached = staging.workers_reach(spark, there)
    except OSError as error:
        raise UserError(f"output {path} cannot be written: {error.strerror}") from None
    if not reached:
        master = spark.sparkContext.master
        raise UserError(f"output {path}: the workers of {master} do not reach {there} of this machine")
    return file_uri(path)


def spark_has(spark: SparkSession, uri: str) -> bool:
    """Tell whether all workers reach what a URI names by themselves; not so a path of this machine."""
    return not staging.is_local(uri) and has_system(spark, urlparse(uri).scheme)


def _write_whole(frame: DataFrame, uri: str) -> Path:
    """Write Parquet, and return its folder on this machine once all rows are known to be in it."""
    counted = Observation()
    frame.observe(counted, F.count(F.lit(1)).alias("rows")).write.parquet(uri)
    folder = staging.to_driver(frame.sparkSession, uri)
    found, written = ds.dataset(folder, format="parquet").count_rows(), counted.get["rows"]
    if found != written:
        shutil.rmtree(folder)
        kept = f"of {written:,} rows that the workers wrote to {uri} the driver has {found:,}"
        raise UserError(f"{kept}: {staging.REMEDY}")
    return folder


def _reached(spark: SparkSession, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    return staging.workers_reach(spark, target.parent)


def _path(uri: str) -> Path:
    # MLflow would take what follows a % in a path for a character.
    return Path(local_file_uri_to_path(uri) if uri.startswith("file:") else uri)
