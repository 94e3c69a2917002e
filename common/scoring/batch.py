"""A file of records scored on Spark: what can be scored, and aside what cannot, with its reason."""

import logging
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import mlflow
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.copies import temporary_files_here
from common.errors import UserError, last_cause
from common.file_system import exists, replacing
from common.metrics import guess_scores, label_counts, scores
from common.row_hash import quoted
from common.score_table import score_table
from common.scoring.keep import KeptModel
from common.scoring.portable_model import PREDICTION, PROBABILITY
from common.scoring.records import LINE, REASON, Records, read_records
from common.vectorizer import LABEL

RESULT = T.StructType().add(PREDICTION, T.StringType()).add(PROBABILITY, T.DoubleType())
ADDED = (*RESULT.fieldNames(), REASON, LINE)
GOOD, SCORED = "__good", "__scored"

# Values in an Arrow batch. By Spark's 10,000 rows MLflow's checks, once a batch, take a tenth of the
# time; the model itself takes a batch in small parts.
CELLS = 500_000

# In what Spark says when a file cannot be read or written: any other error is ours.
NOT_OURS = (
    "FAILED_READ_FILE",
    "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
    "UNABLE_TO_INFER_SCHEMA",
    "IOException",
)

# As pandas and `read_records` take it.
CSV = {
    "header": "true",
    "escape": '"',
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
}


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        rows: records in it.
        rejected: records that could not be scored.
        rejects: where these are.
        reason: what is wrong with one of them.
        labelled: scored records whose true label is known.
        scores: METRICS on these; none where there are none.
        guess: what guessing would score on them.
    """

    rows: int
    rejected: int
    rejects: str
    reason: str
    labelled: int
    scores: dict[str, float]
    guess: dict[str, float]

    @property
    def scored(self) -> int:
        """Records that were scored."""
        return self.rows - self.rejected


def score_file(
    spark: SparkSession, model: KeptModel, source: str, target: str, overwrite: bool = False
) -> Outcome:
    """Score CSV or Parquet, where it lies, into a folder of the same columns and the scores.

    A record that the model does not take goes to `<target>.rejected`, with the reason. All is written
    under other names first: on failure everything is as it was.

    Args:
        spark: the session.
        model: that scores.
        source: URI of a file or folder.
        target: URI of the folder to write: CSV where it ends in .csv, else Parquet.
        overwrite: whether a target that exists may be replaced.

    Raises:
        UserError: the source cannot be read or has no record that can be scored, or the target exists
            or cannot be written.
    """
    rejects = f"{target.rstrip('/')}.rejected"
    for uri in (target, rejects):
        _check_target(spark, uri, source, overwrite)
    try:
        records = _read_input(spark, source, model)
        with replacing(spark, [target, rejects]) as (scored_part, rejects_part):
            seen = Observation()
            with _batches(spark, CELLS // len(model.columns)):
                _write(scored(spark, records, model, seen), scored_part, target)
            rows, bad = seen.get["rows"], seen.get["bad"]
            reason = ""
            if not rows:
                raise UserError(f"input {source} has no rows")
            if bad == rows:
                reason = _first_reason(rejected(records))
                raise UserError(f"input {source} has no row that can be scored; the first: {reason}")
            if bad:
                _write(rejected(records), rejects_part, target)
                reason = _first_reason(_read(spark, rejects_part, target))
            labelled, measured, guess = _measure(_read(spark, scored_part, target), model, rows - bad)
    except (Py4JJavaError, PySparkException) as error:
        message = str(error)
        if "Traceback" in message or not any(sign in message for sign in NOT_OURS):
            raise
        file = re.search(r"reading file (\S+?)\.?\s", message)
        what = f"input {file[1] if file else source} cannot be scored into {target}"
        raise UserError(f"{what}: {last_cause(error)}") from None
    return Outcome(rows, bad, rejects, reason, labelled, measured, guess)


def scored(spark: SparkSession, records: Records, model: KeptModel, seen: Observation) -> DataFrame:
    """Return the good records with their scores; the model's own columns in their own types.

    Args:
        spark: the session.
        records: good and bad.
        model: that scores.
        seen: will know `rows` and `bad` once the frame was written.
    """
    typed = [records.values.get(name, quoted(name)).alias(name) for name in records.names]
    told = records.frame.select(*typed, records.good.alias(GOOD))
    bad = F.count_if(~F.col(GOOD)).alias("bad")
    good = told.observe(seen, F.count(F.lit(1)).alias("rows"), bad).where(GOOD)
    score = _model_function(spark, model)
    with_scores = good.withColumn(SCORED, score(*[quoted(name) for name in model.columns]))
    added = [F.col(SCORED).getField(name).alias(name) for name in RESULT.fieldNames()]
    return with_scores.select(*[quoted(name) for name in records.names], *added)


def rejected(records: Records) -> DataFrame:
    """Return the bad records as they were read, with the reason."""
    bad = records.frame.where(~records.good).withColumn(REASON, records.reason)
    more = [name for name in bad.columns if name not in records.names and name != REASON]
    return bad.select(*[quoted(name) for name in [*records.names, REASON, *more]])


def _model_function(spark: SparkSession, model: KeptModel) -> Any:
    # It recommends to make the model's environment anew; the model's pins are this environment's, and
    # where they are not it warns of that by another logger.
    logs = [logging.getLogger(f"mlflow.{name}") for name in ("pyfunc", "models.flavor_backend_registry")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        # To a cluster it goes as an archive, which must be there as long as workers may ask for it.
        with temporary_files_here():
            return mlflow.pyfunc.spark_udf(spark, model.folder, result_type=RESULT, env_manager="local")
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


@contextmanager
def _batches(spark: SparkSession, rows: int) -> Iterator[None]:
    setting = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(setting)
    spark.conf.set(setting, max(rows, 1))
    try:
        yield
    finally:
        spark.conf.set(setting, str(before))


def _write(frame: DataFrame, part: str, target: str) -> None:
    if _is_csv(target):
        frame.write.options(**CSV).csv(part)
    else:
        frame.write.parquet(part)


def _read(spark: SparkSession, part: str, target: str) -> DataFrame:
    if _is_csv(target):
        return spark.read.options(**CSV).csv(part)
    return spark.read.parquet(part)


def _is_csv(target: str) -> bool:
    return target.rstrip("/").lower().endswith(".csv")


def _measure(
    frame: DataFrame, model: KeptModel, rows: int
) -> tuple[int, dict[str, float], dict[str, float]]:
    """Return how many scored records have their true label, METRICS on these, and those of guessing."""
    if model.label not in frame.columns:
        return 0, {}, {}
    label, positive = quoted(model.label).cast("string"), F.col(PROBABILITY).cast("double")
    table = score_table(
        frame.where(label.isin(*model.labels)).select(
            (label == model.labels[1]).cast("double").alias(LABEL),
            (F.col(PREDICTION) == model.labels[1]).cast("double").alias("prediction"),
            array_to_vector(F.array(1 - positive, positive)).alias("probability"),
        ),
        rows,
    )
    labelled = int(table.count.sum())
    if not labelled:
        return 0, {}, {}
    # Of one label alone there is no curve.
    found, guess = (
        {name: value for name, value in of_all.items() if not math.isnan(value)}
        for of_all in (scores(table), guess_scores(label_counts(table)))
    )
    return labelled, found, guess


def _read_input(spark: SparkSession, source: str, model: KeptModel) -> Records:
    try:
        records = read_records(spark, source, model)
    except UserError as error:
        raise UserError(f"input {error}") from None
    for name in records.names:
        if name.lower() in ADDED:
            raise UserError(f"input {source} has a column {name!r}, which the output adds: rename it")
    return records


def _first_reason(bad: DataFrame) -> str:
    first = bad.select(REASON).first()
    return str(first[REASON]) if first else ""


def _check_target(spark: SparkSession, uri: str, source: str, overwrite: bool) -> None:
    whole, other = uri.rstrip("/") + "/", source.rstrip("/") + "/"
    if whole.startswith(other) or other.startswith(whole):
        raise UserError(f"output {uri} and input {source} lie in one another: give another output")
    try:
        there = exists(spark, uri)
    except UserError as error:
        raise UserError(f"output {error}") from None
    if there and not overwrite:
        raise UserError(f"output {uri} exists: give another, or overwrite=true")
