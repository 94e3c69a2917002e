"""The whole workflow as a user waits for it: time by step, and what uses the cores in each second.

python -m benchmarks.workflow [--source FILE] [--seconds] [--cluster]

main runs as `make main` in a copy of the project with an empty store, and again with nothing changed;
with --cluster on a standalone cluster of two workers with one core each, which has started before.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import mlflow
import psutil

from common.store import tracking
from common.workflow.declaration import CHAIN, MAIN
from tests.checkout import copy_project
from tests.cluster import standalone_cluster

from .own_project import OwnProject
from .report import report
from .watch import watching

JAVA, WORKERS, COMMAND = "Spark's JVM", "Spark's Python workers", "mlflow run"
HOST = "common.machine.step_host"
EVERY = 1.0  # seconds


class Usage:
    """The processor time that a command and all processes below it use, by kind of process."""

    def __init__(self, root: int) -> None:
        """Begin to watch a process.

        Args:
            root: Its id.
        """
        self.root, self.started = root, time.perf_counter()
        self.seen: dict[tuple[int, float], tuple[str, float]] = {}
        self.lines: list[str] = []

    def look(self) -> None:
        """Add what was used since the last look."""
        used: dict[str, float] = {}
        try:
            below = [psutil.Process(self.root), *psutil.Process(self.root).children(recursive=True)]
        except psutil.Error:
            return
        for process in below:
            try:
                key, times = (process.pid, process.create_time()), process.cpu_times()
                kind, before = self.seen.get(key) or (_kind(process), 0.0)
            except psutil.Error:
                continue
            self.seen[key] = (kind, times.user + times.system)
            used[kind] = used.get(kind, 0.0) + times.user + times.system - before
        shown = " ".join(
            f"{kind}={seconds:.2f}" for kind, seconds in sorted(used.items()) if seconds > 0.02
        )
        self.lines.append(f"{time.perf_counter() - self.started:5.0f} {shown}")

    def by_kind(self) -> dict[str, float]:
        """Return the seconds of each kind, most first."""
        total: dict[str, float] = {}
        for kind, seconds in self.seen.values():
            total[kind] = total.get(kind, 0.0) + seconds
        most = sorted(total.items(), key=lambda item: -item[1])
        return {kind: round(seconds, 1) for kind, seconds in most if seconds >= 0.1}


@click.command()
@click.option("--source", default="uci", help="Adult's file; default: the data set's home.")
@click.option("--seconds", is_flag=True, help="Whether to print what used the cores in each second.")
@click.option("--cluster", is_flag=True, help="Whether on a standalone cluster, on this machine.")
def workflow(source: str, seconds: bool, cluster: bool) -> None:
    """Time main on Adult, and again with nothing changed."""
    # Main runs in another folder.
    source = str(Path(source).absolute()) if Path(source).exists() else source
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        copy_project(folder / "checkout")
        project = OwnProject.in_folder(folder / "checkout", folder)
        environment = {**os.environ, **project.environment}
        if cluster:
            url = stack.enter_context(standalone_cluster(folder)).url
            environment |= {"SPARK_MASTER": url, "PYSPARK_PYTHON": sys.executable}
        first, usage = _main(project.checkout, environment, source)
        steps = [_row(project, step) for step in CHAIN]
        again, _ = _main(project.checkout, environment, source)
    if seconds:
        click.echo("\n".join(usage.lines))
    used = usage.by_kind()
    facts: dict[str, Any] = {
        "main, s": round(first, 1),
        "main with nothing changed, s": round(again, 1),
        # Executors of a cluster are not below the command.
        **({} if cluster else {"cores busy, mean": round(sum(used.values()) / first, 2)}),
        **{f"processor time of {kind}, s": spent for kind, spent in used.items()},
    }
    report("workflow_cluster" if cluster else "workflow", steps, facts)


def _main(checkout: Path, environment: dict[str, str], source: str) -> tuple[float, Usage]:
    """Run main as `make main` does; return its seconds and what it used."""
    words = [sys.executable, "-m", "steps.run", "run", ".", "-e", MAIN, "--env-manager", "local"]
    said = checkout.parent / "said"
    with said.open("w") as log:
        started = time.perf_counter()
        given = [*words, "-P", f"source={source}"]
        running = subprocess.Popen(
            given, cwd=checkout, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        usage = Usage(running.pid)
        with watching(usage.look, EVERY):
            code = running.wait()
    if code:
        raise click.ClickException(f"main ended with {code}:\n{said.read_text(encoding='utf-8')[-2000:]}")
    return time.perf_counter() - started, usage


def _row(project: OwnProject, step: str) -> dict[str, Any]:
    run = project.step_run(step)
    parent = mlflow.get_run(run.data.tags[tracking.PARENT]).info
    begins, ends = ((at - parent.start_time) / 1000 for at in (run.info.start_time, run.info.end_time))
    return {"step": step, "begins at": round(begins, 1), "s": round(ends - begins, 1)}


def _kind(process: psutil.Process) -> str:
    words = process.cmdline()
    # The script that becomes the JVM is given the same words.
    if "pyspark-shell" in words:
        return JAVA
    if "common.machine.worker_daemon" in words:
        return WORKERS
    if HOST in words:
        return process.name() if process.name() in CHAIN else "the steps' host"
    steps = [word.removeprefix("steps.") for word in words if word.startswith("steps.")]
    return steps[0] if steps else COMMAND


if __name__ == "__main__":
    workflow()
