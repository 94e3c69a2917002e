"""Batch scoring of a file on Spark; records that cannot be scored are set aside, each with its reason."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.reading import find_column
from common.data.records import SCORED, WRONG, Then
from common.data.row_hash import quoted
from common.data.target import REGRESSION
from common.errors import UserError, last_cause
from common.machine.file_system import replacing
from common.scoring.added import added_names, renamed_outputs
from common.scoring.alarms import LABEL, NUMBER, alarms, left_out
from common.scoring.arrow_scoring import COUNTS, scores_of
from common.scoring.kept_model import KeptModel
from common.scoring.lacking import lacking_values, may_lack
from common.scoring.learnt import UNKNOWN, Training, told_of
from common.scoring.measure import Measured, measure
from common.scoring.output_files import OutputFiles, check_output, is_csv
from common.scoring.outputs import outputs_of
from common.scoring.records import LINE, NO_SCORE, REASON, Records, read_records
from common.scoring.row_counts import Counted, total
from common.scoring.unseen import found_unseen, is_strange, shared_features, unseen_features

# Values in an Arrow batch. The model itself scores a batch in smaller parts.
CELLS = 500_000

# Found in Spark's errors about files that cannot be read or written; any other error is a bug of ours.
NOT_OURS = (
    "FAILED_READ_FILE",
    "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
    "UNABLE_TO_INFER_SCHEMA",
    "IOException",
    "ParentNotDirectoryException",
)

OTHER_RULES = (
    "the model keeps other rules for reading records than this project has now: its service may read "
    "some records otherwise; train it again"
)


@dataclass(frozen=True)
class Outcome:
    """The result of scoring a file.

    Attributes:
        rows: Number of records in the file.
        rejected: Number of records that could not be scored.
        rejects: URI of the folder with the rejected records.
        reason: The reason for the first of the rejections; empty if there are none.
        measured: The comparison with the true labels.
        told: How the file was read, in words.
        notes: What else is to be known about the output, one line each.
        learnt: That the model may have learnt some of the rows, if it is so, or that this is not known.
        alarms: Warnings, one line each.
    """

    rows: int
    rejected: int
    rejects: str
    reason: str
    measured: Measured
    told: str
    notes: tuple[str, ...]
    alarms: tuple[str, ...]
    learnt: str

    @property
    def scored(self) -> int:
        """Number of records that were scored."""
        return self.rows - self.rejected


def score_file(
    spark: SparkSession,
    model: KeptModel,
    source: str,
    target: str,
    overwrite: bool = False,
    train: Callable[[], DataFrame | None] | None = None,
) -> Outcome:
    """Score CSV or Parquet on Spark; write a folder with the same columns and the scores.

    A record that the model refuses goes to `<target>.rejected`, with the reason. The output is first
    written under temporary names, so a failure leaves everything as it was.

    Args:
        spark: The session.
        model: The model.
        source: URI of a file or folder.
        target: URI of the folder to write: CSV if it ends in .csv, otherwise Parquet.
        overwrite: Whether to replace an existing target.
        train: Returns the rows that the model was trained on, if they are known; asked only for a file
            with labels, which is scored too well on these.

    Raises:
        UserError: The source cannot be read or has no record that can be scored, or the target exists
            or cannot be written.
    """
    rejects = f"{target.rstrip('/')}.rejected"
    for uri in (target, rejects):
        check_output(spark, uri, source, overwrite)
    try:
        records = _read_input(spark, source, model)
        names = added_names(records.table.names, model)
        # The output has columns more, one of which may be called like the label.
        label = find_column(model.form.label, records.table.names, model.form)
        training, is_unknown = _training(model, train if label is not None else None)
        # Text in Parquet may contain line breaks; only CSV was checked for them.
        files = OutputFiles(is_csv(target), records.table.over_lines or not records.table.is_csv)
        with replacing(spark, [target, rejects]) as (scored_part, rejects_part):
            seen = Observation()
            counted = Counted(model.form.columns, model.categories, may_lack(model))
            scores = scores_of(spark, model.pipeline, outputs_of(model.target), counted)
            with _batches(spark, CELLS // len(model.form.columns)):
                files.write(scored(records, scores, model, names, seen, training), scored_part)
            counts = seen.get
            again = scores if counts["unscored"] else None
            rejected = records.rejected(names[REASON], names[LINE], again)
            if counts["bad"] == counts["rows"]:
                raise UserError(_nothing_to_score(source, counts["rows"], rejected, names[REASON]))
            reason = ""
            if counts["bad"]:
                files.write(rejected, rejects_part)
                reason = files.first(spark, rejects_part, names[REASON])
            whole, mark = files.read(spark, scored_part), _decimal_as_written(model, records, label)
            measured = measure(whole, model, counts["rows"] - counts["bad"], names, label, mark)
    except (Py4JJavaError, PySparkException) as error:
        raise _unless_ours(error, source, target) from None
    rows, bad, told = counts["rows"], counts["bad"], records.table.told
    learnt = UNKNOWN if is_unknown else told_of(counts, rows - bad)
    notes, alarming = _remarks(model, names, counts, reason, measured)
    return Outcome(rows, bad, rejects, reason, measured, told, notes, alarming, learnt)


def _training(
    model: KeptModel, train: Callable[[], DataFrame | None] | None
) -> tuple[Training | None, bool]:
    """Return the rows that a model was trained on, if they matter, and whether they are not known."""
    rows = train() if train else None
    of_model = None if rows is None else Training.of(rows, model.form.columns)
    return of_model, train is not None and rows is None


def _remarks(
    model: KeptModel, names: Mapping[str, str], counts: Mapping[str, Any], reason: str, measured: Measured
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the notes on a result, and its alarms."""
    rows, bad, of_rows = counts["rows"], counts["bad"], total(counts["counts"])
    unseen = found_unseen(of_rows, model, rows - bad)
    known = NUMBER if model.target.task == REGRESSION else LABEL
    strange = {name: found for name, found in unseen.items() if is_strange(name, found, model)}
    alarming = alarms(rows, bad, reason, strange, model.form.label, measured.unknown, known)
    alarming += lacking_values(of_rows, model, rows - bad)
    if not model.has_our_rules:
        alarming = (*alarming, OTHER_RULES)
    notes = [*renamed_outputs(names, model), *shared_features(unseen, model)]
    notes += unseen_features(unseen, model)
    if measured.unknown.rows and not measured.unknown.is_most:
        notes.append(left_out(model.form.label, measured.unknown, known))
    return tuple(notes), alarming


def scored(
    records: Records,
    scores: Then,
    model: KeptModel,
    names: Mapping[str, str],
    seen: Observation,
    training: Training | None = None,
) -> DataFrame:
    """Return the good records with their scores; the columns that the model takes have its types.

    Args:
        records: The records, good and bad.
        scores: What scores their values.
        model: The model.
        names: The names of the columns that the output adds, as `added_names` returns them.
        seen: The observation that holds `rows`, `bad`, `unscored` (of the bad ones, those that were read
            but have no finite score), `counts` (of batches, as texts) and what `training` counts after
            the frame has been written.
        training: The rows that the model has learnt, to count those that are among these.
    """
    wrong = F.col(WRONG)
    own = [] if training is None else [training.own_hash(records.table.values)]
    told = records.scored(scores, *own)
    counts = [
        F.count(F.lit(1)).alias("rows"),
        F.count(wrong).alias("bad"),
        F.count_if(wrong == NO_SCORE).alias("unscored"),
        F.collect_list(F.col(SCORED).getField(COUNTS)).alias("counts"),
    ]
    if training is not None:
        told = training.found_in(told)
        counts += training.counts(wrong.isNull())
    good = told.observe(seen, *counts).where(wrong.isNull())
    added = [F.col(SCORED).getField(name).alias(names[name]) for name in outputs_of(model.target)]
    return good.select(*[quoted(name) for name in records.table.names], *added)


@contextmanager
def _batches(spark: SparkSession, rows: int) -> Iterator[None]:
    setting = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(setting)
    spark.conf.set(setting, max(rows, 1))
    try:
        yield
    finally:
        spark.conf.set(setting, str(before))


def _decimal_as_written(model: KeptModel, records: Records, label: str | None) -> str:
    """Return the decimal mark of true labels in the output: Spark writes numbers with a point."""
    schema = records.table.frame.schema
    return "." if label and not isinstance(schema[label].dataType, T.StringType) else model.form.decimal


def _read_input(spark: SparkSession, source: str, model: KeptModel) -> Records:
    try:
        return read_records(spark, source, model.form)
    except UserError as error:
        raise UserError(f"input {error}") from None


def _nothing_to_score(source: str, rows: int, rejected: DataFrame, reason: str) -> str:
    if not rows:
        return f"input {source} has no rows"
    first = rejected.select(reason).first()
    return f"input {source} has no row that can be scored; the first: {first[0] if first else ''}"


def _unless_ours(error: Exception, source: str, target: str) -> Exception:
    """Return the error as the user's if a file cannot be read or written, else as it is."""
    message = str(error)
    if "Traceback" in message or not any(sign in message for sign in NOT_OURS):
        return error
    file = re.search(r"reading file (\S+?)\.?\s", message)
    what = f"input {file[1] if file else source} cannot be scored into {target}"
    return UserError(f"{what}: {last_cause(error)}")
