"""A table of many columns and rows from file to search: seconds and peak memory of each step.

python -m benchmarks.wide_and_long [--sizes COLUMNSxROWS,...] [--csv] [--keep FOLDER]

Spark writes the table, of doubles, whole numbers, categories and dates, a tenth of half of them missing.
Nothing is said of it but its label. Each step is the command that a user types, in a new store.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import psutil
from pyspark.sql import Column
from pyspark.sql import functions as F

from common import ROOT
from common.machine.spark import get_session
from common.machine.spark_settings import file_uri

from .own_project import OwnProject
from .report import report, show
from .watch import watching

LABEL = "label"
SIZES = "500x20000,50x1000000,500x100000"
GRID = json.dumps({"max_depth": [3, 5], "n_estimators": [50], "learning_rate": [0.3]})
STEPS: dict[str, dict[str, str]] = {
    "load_data": {},
    "eda": {"profile": "none"},
    "split": {},
    "featurize": {},
    "train_grid": {"learner": "xgboost", "grid": GRID},
}
# Of ten columns, five are doubles, two whole numbers, two categories and one a date.
KINDS = "ddddd" + "ii" + "cc" + "t"
# Rows that a file of the table has at most.
FILE_ROWS = 250_000


@click.command()
@click.option("--sizes", default=SIZES, help="Tables to measure: columns x rows, separated by commas.")
@click.option("--csv", is_flag=True, help="Write CSV instead of Parquet.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for tables and stores.")
@click.option("--write", help="Only write a table of this size into the folder.", hidden=True)
def wide_and_long(sizes: str, csv: bool, keep: Path | None, write: str | None) -> None:
    """Measure all steps on growing tables."""
    with ExitStack() as stack:
        folder = (keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        if write:
            _write(folder / "table", *_size(write), csv)
            return
        rows = [row for size in sizes.split(",") for row in measure(folder / size, size, csv)]
    facts = _facts(rows)
    if sizes == SIZES and not csv:
        report("wide_and_long", rows, facts)
    else:
        show(rows, facts)


def measure(folder: Path, size: str, csv: bool) -> list[dict[str, Any]]:
    """Write a table, take it through all steps, and return a row of the result for each."""
    if not (folder / "table").exists():
        folder.mkdir(parents=True, exist_ok=True)
        told = ["--keep", str(folder), "--write", size, *(["--csv"] if csv else [])]
        words = [sys.executable, "-m", "benchmarks.wide_and_long", *told]
        subprocess.run(words, cwd=ROOT, check=True)
    columns, count = _size(size)
    # A store of its own, so that no step is reused, and beside the table, since it is as large.
    project = OwnProject.in_folder(ROOT, Path(tempfile.mkdtemp(dir=folder)))
    rows = []
    for step, options in STEPS.items():
        given = {"source": str(folder / "table"), "label": LABEL, **options}
        seconds, peak = _run(step, project, folder / f"{step}.log", given)
        cells = columns * count
        row = {"columns": columns, "rows": count, "step": step, "s": round(seconds, 1)}
        rows.append({**row, "us a cell": round(1e6 * seconds / cells, 2), "peak MB": round(peak / 1e6)})
        click.echo(f"{size} {step}: {seconds:.1f} s, {peak / 1e6:,.0f} MB", err=True)
    return rows


def _size(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    return int(columns), int(rows)


def _run(step: str, project: OwnProject, said: Path, options: dict[str, str]) -> tuple[float, int]:
    """Run a step's command; return its seconds, and the most memory that it and its children held."""
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    environment = {**os.environ, **project.environment}
    words = [sys.executable, "-m", f"steps.{step}", *given]
    started, peak = time.perf_counter(), 0
    with said.open("w") as log:
        running = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)

        def look() -> None:
            nonlocal peak
            peak = max(peak, _resident(running.pid))

        with watching(look, every=0.5):
            code = running.wait()
    text = said.read_text(encoding="utf-8")
    if code or "Traceback" in text or "\tat org.apache" in text:
        raise click.ClickException(f"{step} ended with {code} and said:\n{text[-2000:]}")
    return time.perf_counter() - started, peak


def _resident(root: int) -> int:
    """Return the memory of a process and all below it; pages that they share count once."""
    total = 0
    try:
        processes = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            found = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(found, "pss", found.rss)
    return total


def _facts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the seconds of all steps together, and the highest peak, for each table."""
    facts = {}
    for columns, count in {(row["columns"], row["rows"]): None for row in rows}:
        of_table = [row for row in rows if (row["columns"], row["rows"]) == (columns, count)]
        seconds = sum(row["s"] for row in of_table)
        most = max(row["peak MB"] for row in of_table)
        facts[f"{columns} columns x {count:,} rows"] = f"{seconds:,.0f} s, at most {most:,} MB"
    return facts


def _write(target: Path, columns: int, rows: int, csv: bool) -> None:
    spark = get_session()
    # The code of so many expressions at once would not compile.
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    frame = spark.range(0, rows, 1, -(-rows // FILE_ROWS))
    cells = [_cell(place).alias(f"{KINDS[place % len(KINDS)]}{place}") for place in range(columns - 1)]
    chance = _uniform(0) + _uniform(1) * _uniform(2) + F.when(_uniform(7) < 0.2, 0.5).otherwise(0.0)
    label = F.when(chance + _uniform(columns) * 0.4 > 1.2, "yes").otherwise("no").alias(LABEL)
    written = frame.select(*cells, label).write
    if csv:
        written.option("header", "true").csv(file_uri(target))
    else:
        written.parquet(file_uri(target))


def _cell(place: int) -> Column:
    kind, share = KINDS[place % len(KINDS)], _uniform(place)
    values = {
        "d": F.round(share * 1000, 3),
        "i": F.floor(share * 1000).cast("int"),
        "c": F.concat(F.lit("v"), F.floor(share * share * 20).cast("string")),
        "t": F.date_add(F.lit("2020-01-01").cast("date"), F.floor(share * 1500).cast("int")),
    }
    return F.when(_uniform(-1 - place) >= 0.1, values[kind]) if place % 2 else values[kind]


def _uniform(place: int) -> Column:
    """Return a number from 0 to 1 that depends on the row and the place alone."""
    return F.pmod(F.xxhash64("id", F.lit(place)), F.lit(1 << 20)) / (1 << 20)


if __name__ == "__main__":
    wide_and_long()
