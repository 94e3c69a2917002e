"""The overview report of fg-data-profiling (once ydata-, and before pandas-profiling) on sampled rows."""

import logging
import os
from functools import partial
from pathlib import Path

# Without this the package sends usage data to its maker, with each report.
os.environ["YDATA_PROFILING_NO_ANALYTICS"] = "True"

import pandas as pd
from data_profiling import ProfileReport
from data_profiling.model.pandas import summary_pandas
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from tqdm import tqdm

from common.data.row_hash import COPY, HASH, quoted, row_hash, with_copies
from common.data.spec import DatasetSpec
from common.errors import UserError, first_line

log = logging.getLogger(__name__)

PACKAGE = "fg-data-profiling"
LONG_WORD = r"\S{60}"
OWN, TAKEN = "__own_hash", "__taken"


class NoProfile(UserError):
    """The package that makes the profile fails; the message says how."""


def sample_rows(frame: DataFrame, rows: int, seed: int = 0) -> DataFrame:
    """Return a sample of at most `rows` rows that does not depend on the partitioning.

    Args:
        frame: The rows to sample from.
        rows: Maximum number of rows. Those with the smallest hashes are taken: of equal rows some.
        seed: Seed of the hash.
    """
    hashed = frame.withColumn(OWN, row_hash(frame.columns, f"sample:{seed}"))
    copies = with_copies(hashed.select(OWN), F.col(OWN)).orderBy(HASH, COPY).limit(rows)
    taken = copies.groupBy(OWN).agg(F.count(F.lit(1)).cast("int").alias(TAKEN))
    # Only hashes are shuffled. Of equal rows one is kept and repeated.
    found = hashed.join(F.broadcast(taken), OWN).dropDuplicates([OWN]).orderBy(OWN)
    columns = [quoted(name) for name in frame.columns]
    return found.withColumn(TAKEN, F.explode(F.array_repeat(F.lit(1), F.col(TAKEN)))).select(*columns)


def profiled_columns(spec: DatasetSpec, columns: int) -> list[str]:
    """Return the columns to profile: the label, and of the others the first ones, inputs before the rest.

    Args:
        spec: The data set.
        columns: Maximum number of columns.
    """
    inputs = [column.name for column in spec.inputs]
    others = [name for name in spec.names if name not in (*inputs, spec.label)]
    kept = {spec.label, *[*inputs, *others][: columns - 1]}
    return [name for name in spec.names if name in kept]


def part_of(rows: int, all_rows: int, columns: int, all_columns: int) -> dict[str, str]:
    """Say which part of a table a profile of at most so many rows and columns is of.

    Returns:
        `100 of 1,200 rows` as `rows`, and the same of `columns`; nothing of what is there in full.
    """
    given = {"rows": (rows, all_rows), "columns": (columns, all_columns)}
    return {what: f"{most:,} of {of:,} {what}" for what, (most, of) in given.items() if most < of}


def write_profile(
    frame: DataFrame, path: Path, title: str, rows: int, minimal: bool, progress: bool = False
) -> None:
    """Write fg-data-profiling's report as one self-contained HTML page.

    Args:
        frame: The rows to profile; at most `rows` of them are collected on the driver.
        path: The file to write.
        title: The title of the page.
        rows: Maximum number of rows to profile.
        minimal: Whether to omit interactions and correlations, whose cost is quadratic in the number of
            columns.
        progress: Whether to show a progress bar on the terminal.

    Raises:
        NoProfile: The package fails on these rows.
    """
    sample = sample_rows(frame, rows).toPandas()
    path.parent.mkdir(parents=True, exist_ok=True)
    # The package shows one progress bar whatever progress_bar says.
    summary_pandas.tqdm = partial(tqdm, disable=not progress)
    # The package draws each column's words, and has no place for one of some 130 characters.
    words = {} if not _has_long_words(sample) else {"text": {"words": False}, "cat": {"words": False}}
    try:
        report = ProfileReport(sample, title=title, minimal=minimal, progress_bar=progress, vars=words)
        report.to_file(path, silent=True)
    except Exception as error:
        log.debug("the package's error", exc_info=True)
        said = f"{type(error).__name__}: {first_line(error)}" if str(error) else type(error).__name__
        raise NoProfile(f"{PACKAGE} fails on these rows ({said}); profile=none does without") from error


def _has_long_words(sample: pd.DataFrame) -> bool:
    texts = (sample[name].dropna().astype(str) for name in sample.select_dtypes("object"))
    return any(column.str.contains(LONG_WORD, regex=True).any() for column in texts)
