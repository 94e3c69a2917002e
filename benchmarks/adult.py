"""The rows for the benchmarks' searches: Adult's training rows, prepared as in the workflow's steps."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import mlflow
from mlflow.entities import Run
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.fetch import locate
from common.data.read import read
from common.data.spec_yaml import load_spec
from common.data.stratify import stratify
from common.data.target import TWO
from common.learning.vectorizer import FEATURES, LABEL, fit_vectorizer, vectorize
from common.machine.spark_settings import file_uri
from common.search.folds import FOLD, FOLD_RANK, FoldData, assign_fold_rank, fold_data

SEED, FOLDS = 42, 5

# MLflow would log the creation of each new store's tables.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)


def source_option(command: Any) -> Any:
    """Add the option --source, with the meaning that it has for load_data."""
    return click.option("--source", default="auto", help="Adult's file, as load_data takes it.")(command)


def features(spark: SparkSession, source: str, folder: Path, copies: int = 1) -> DataFrame:
    """Return the training rows as featurize writes them: features, label, fold rank; stored as Parquet.

    Args:
        spark: The session.
        source: The source, as for load_data.
        folder: The folder to store them in.
        copies: Number of copies of each row, made by `copied`.
    """
    spec = load_spec("adult")
    frame = read(spark, spec, locate(spec, source))
    train = stratify(frame, spec.strata, train_ratio=0.7, seed=SEED).train
    vectorizer = fit_vectorizer(train, spec, "onehot")
    if copies > 1:
        train = copied(train, copies)
    folded = assign_fold_rank(train, spec.label, SEED)
    rows = vectorize(folded, vectorizer, spec).select(FEATURES, LABEL, FOLD_RANK)
    rows.write.parquet(file_uri(folder / "train"))
    return spark.read.parquet(file_uri(folder / "train"))


def copied(rows: DataFrame, copies: int) -> DataFrame:
    """Repeat each row, with small changes to fnlwgt and hours-per-week so that copies are not identical.

    Args:
        rows: The rows.
        copies: Number of copies of each row.
    """
    copy = F.explode(F.sequence(F.lit(0), F.lit(copies - 1))).alias("copy")
    rows = rows.select("*", copy)
    noise = F.xxhash64(*[F.col(f"`{name}`") for name in rows.columns])
    hours = F.greatest(F.lit(1), F.col("`hours-per-week`") + F.pmod(noise, F.lit(5)) - 2)
    jittered = {"fnlwgt": F.col("fnlwgt") + F.pmod(noise, F.lit(2001)), "hours-per-week": hours}
    return rows.withColumns(jittered).drop("copy")


@contextmanager
def adult_folds(
    spark: SparkSession, source: str, copies: int = 1
) -> Iterator[tuple[DataFrame, FoldData]]:
    """Yield the rows as a user finds them in a run, and as a search lays them out, both cached.

    Args:
        spark: The session.
        source: The source, as for load_data.
        copies: Number of copies of each row.
    """
    with tempfile.TemporaryDirectory() as folder:
        rows = features(spark, source, Path(folder), copies).withColumn(
            FOLD, (F.col(FOLD_RANK) % FOLDS).cast("int")
        )
        rows.cache().count()
        data = fold_data(rows.drop(FOLD), FOLDS, TWO)
        data.frame.count()
        yield rows, data
        data.frame.unpersist()
        rows.unpersist()


@contextmanager
def search_run() -> Iterator[Run]:
    """Yield a run in a temporary SQLite store, in which to track a search."""
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        experiment = mlflow.create_experiment("benchmark", Path(folder, "runs").as_uri())
        yield mlflow.MlflowClient().create_run(experiment)
