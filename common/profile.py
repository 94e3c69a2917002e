"""The overview report of fg-data-profiling, which was ydata-profiling, on a sample of the rows."""

import os
from pathlib import Path

# It reports its use to its maker unless told not to, and reads this on import.
os.environ["YDATA_PROFILING_NO_ANALYTICS"] = "True"

from data_profiling import ProfileReport
from pyspark.sql import DataFrame

from common.row_hash import row_hash


def sample_rows(frame: DataFrame, rows: int, seed: int = 0) -> DataFrame:
    """Return at most this many rows, the same ones whatever the partitions.

    Args:
        frame: any rows.
        rows: how many at the most: those with the smallest hashes of their content.
        seed: another seed gives other rows.
    """
    return frame.orderBy(row_hash(frame.columns, f"sample:{seed}")).limit(rows)


def write_profile(
    frame: DataFrame, path: Path, title: str, rows: int, minimal: bool, progress: bool = False
) -> None:
    """Write fg-data-profiling's report, one self-contained HTML page.

    Args:
        frame: any rows; at most `rows` of them come to the driver.
        path: the file to write.
        title: of the page.
        rows: how many rows are profiled at the most.
        minimal: leave out interactions and correlations, whose cost grows with the columns' square.
        progress: show a bar on the terminal.
    """
    sample = sample_rows(frame, rows).toPandas()
    path.parent.mkdir(parents=True, exist_ok=True)
    report = ProfileReport(sample, title=title, minimal=minimal, progress_bar=progress)
    report.to_file(path, silent=True)
