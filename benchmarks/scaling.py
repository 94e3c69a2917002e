"""Time and peak memory of the boosting engine on 1, 10 and 30 times Adult's training rows.

python -m benchmarks.scaling [--source FILE]
"""

import json
import os
import subprocess
import sys

import click
import psutil

from common.learning.learners import get_learner
from common.machine.memory import machine_memory
from common.machine.spark import get_session
from common.search.engines.memory import task_bytes
from common.search.grid import grid_candidates

from .adult import adult_folds, source_option
from .report import report
from .search import timed_search
from .watch import watching

GBT = get_learner("gbt")
GRID = {"maxDepth": [1, 5, 7], "maxBins": [32], "maxIter": [25, 50], "stepSize": [0.2]}
COPIES = (1, 10, 30)


@click.command()
@source_option
@click.option("--copies", type=int, help="Measure only this size and print it as JSON.")
def scaling(source: str, copies: int | None) -> None:
    """Time a search of 6 candidates x 5 folds for growing numbers of rows, each in its own process."""
    if copies is not None:
        click.echo(json.dumps(_measure(source, copies)))
        return
    rows = []
    for size in COPIES:
        command = [sys.executable, "-m", "benchmarks.scaling", "--source", source, "--copies", str(size)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    first = rows[0]
    for row in rows:
        row["s of the first size"] = round(row["search s"] / first["search s"], 1)
    last = rows[-1]
    limit, per_row = [row.pop("room") for row in rows][-1], last["matrix bytes"] / last["rows"]
    facts = {
        "rows x": last["rows"] / first["rows"],
        "time x": last["s of the first size"],
        "auto takes mllib above": f"{limit / per_row:,.0f} rows on this machine "
        f"({per_row:,.0f} bytes per row at one task's peak and in idle workers, {limit / 1e6:,.0f} MB)",
    }
    report("scaling", rows, facts)


def _measure(source: str, copies: int) -> dict[str, float]:
    candidates = grid_candidates(GRID, GBT)
    with adult_folds(get_session(), source, copies) as (_, data):
        # The first search starts the workers and includes Java's compilation, so it is not counted.
        timed_search("boosting", data, GBT, candidates[:1], None)
        peak = _PeakMemory()
        with watching(peak.look, every=0.1):
            seconds, _found = timed_search("boosting", data, GBT, candidates, None)
        return {
            "rows": data.rows,
            "search s": round(seconds, 2),
            "driver's Python MB": round(peak.driver / 1e6),
            "largest worker MB": round(peak.worker / 1e6),
            "JVM MB": round(peak.jvm / 1e6),
            "matrix bytes": task_bytes(data, os.cpu_count() or 1),
            "room": machine_memory() // 2,
        }


class _PeakMemory:
    """Peak resident memory of this process, of its JVM and of its largest worker, in bytes."""

    def __init__(self) -> None:
        self.driver = self.worker = self.jvm = 0

    def look(self) -> None:
        this = psutil.Process()
        self.driver = max(self.driver, this.memory_info().rss)
        for child in this.children(recursive=True):
            try:
                name, memory = child.name(), child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            if "java" in name:
                self.jvm = max(self.jvm, memory)
            else:
                self.worker = max(self.worker, memory)


if __name__ == "__main__":
    scaling()
