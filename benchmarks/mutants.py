"""Mutation testing: the share of small faults, planted one at a time, that a module's tests miss.

python -m benchmarks.mutants [MODULE ...] [--again]

The mutants come from mutmut's mutators. mutmut's own runner skips decorated functions, hence all
properties, and module-level code, and it would start a JVM for each mutant. Here each mutant is tested
in a forked process with the libraries already loaded and a warm session.
"""

import difflib
import gc
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click
import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators
from pyspark import SparkContext
from pyspark.sql import SparkSession

from common.machine.spark import get_session

from .report import RESULTS, report

ROOT = Path(__file__).parents[1]
# Everything that the modules' tests read.
COPIED = ("common", "steps", "conf", "tests", "MLproject", "requirements.txt", "pyproject.toml")
TESTS = {
    "common/learning/metrics.py": ("common/learning/test_metric_values.py",),
    "common/data/strata_rank.py": ("common/data/test_strata_rank.py", "common/data/test_stratify.py"),
    "common/data/stratify.py": ("common/data/test_stratify.py",),
    "common/data/infer/label.py": ("common/data/infer/test_label.py",),
    "common/data/infer/positive.py": ("common/data/infer/test_label.py",),
    "common/data/infer/decide.py": ("common/data/infer/test_decide.py",),
    "common/data/infer/decimal_mark.py": ("common/data/infer/test_dialect.py",),
    "common/search/folds.py": ("common/search/test_folds.py",),
    "common/store/registry.py": ("common/store/test_registry.py",),
    "common/store/challenge.py": ("common/store/test_challenge.py", "common/store/test_registry.py"),
    "common/champion/verdict.py": ("common/champion/test_verdict.py",),
    "common/champion/unseen.py": ("common/champion/test_unseen.py",),
    "common/champion/gates.py": ("common/champion/test_gates.py",),
    "common/store/get_or_run.py": (
        "common/store/test_workflow_keys.py",
        "common/store/test_get_or_run.py",
    ),
    "common/workflow/fingerprint.py": ("common/workflow/test_fingerprint.py",),
    "common/search/result.py": ("common/search/test_result.py",),
    "common/search/findings/find.py": ("common/search/findings/test_find.py",),
}
# The functions to mutate in these modules; in all other modules, everything is mutated.
FUNCTIONS = {
    "common/store/get_or_run.py": (
        *("uri", "get_or_run", "_complete", "_find", "resolve_inputs", "_check_input", "searches_on"),
        *("_searches", "step_key"),
    )
}
# Seconds after which tests count as failed, since a mutant may make them run forever.
PATIENCE = 180
# Tests without fixtures from conftest.py, whose imports take longer than these tests.
ALONE = {
    *("common/data/infer/test_label.py", "common/data/infer/test_decide.py"),
    "common/data/infer/test_dialect.py",
    *("common/learning/test_metric_values.py", "common/champion/test_verdict.py"),
    "common/workflow/test_fingerprint.py",
    *("common/search/test_result.py", "common/search/findings/test_find.py"),
}
WITH_SPARK = {
    *("common/data/test_stratify.py", "common/search/test_folds.py"),
    *("common/champion/test_unseen.py", "common/champion/test_gates.py"),
}


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Attributes:
        line: Line of the fault.
        code: Code of the whole module.
        change: The changed lines, before and after.
    """

    line: int
    code: str
    change: str


class _Mutations(cst.CSTVisitor):
    """Collects the mutations of each node; annotations, decorators, asserts and imports are skipped."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, functions: Sequence[str] | None) -> None:
        super().__init__()
        self.functions, self.inside = functions, 0
        self.found: list[tuple[int, cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, (cst.Annotation, cst.Decorator, cst.Assert, cst.Import, cst.ImportFrom)):
            return False
        self.inside += self._is_chosen(node)
        if self.functions is None or self.inside:
            for kind, mutate in mutation_operators:
                if isinstance(node, kind):
                    line = self.get_metadata(PositionProvider, node).start.line
                    # Of a string's three mutants, those in upper and lower case add no information.
                    most = 1 if isinstance(node, cst.BaseString) else None
                    self.found += [(line, node, changed) for changed in islice(mutate(node), most)]
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        self.inside -= self._is_chosen(node)

    def _is_chosen(self, node: cst.CSTNode) -> bool:
        return isinstance(node, cst.FunctionDef) and node.name.value in (self.functions or ())


def mutants(path: Path, functions: Sequence[str] | None = None) -> list[Mutant]:
    """Return all mutants of a module, or of some of its functions, in the order of its lines."""
    before = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(before))
    visitor = _Mutations(functions)
    wrapper.visit(visitor)
    made: dict[str, Mutant] = {}
    for line, node, changed in visitor.found:
        replaced = wrapper.module.deep_replace(node, changed)
        assert isinstance(replaced, cst.Module)
        code = replaced.code
        if code != before and code not in made:
            lines = difflib.ndiff(before.splitlines(), code.splitlines())
            change = "\n".join(one for one in lines if one[0] in "+-")
            made[code] = Mutant(line, code, change)
    return list(made.values())


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(list(TESTS)))
@click.option("--again", is_flag=True, help="Only try mutants that survived the last run.")
@click.option(
    "--most", default=10_000, type=click.IntRange(1), help="Limit per module; a sample is drawn."
)
@click.option("--name", default="mutants", help="Name of the file under results/.")
def measure(modules: Sequence[str], again: bool, most: int, name: str) -> None:
    """Count the mutants that survive the tests of their module."""
    rows, left = _kept(f"{name}.json", "rows"), _kept(f"{name}_left.json", "left")
    known = {row["module"]: row for row in rows}
    with _copy() as folder:
        for module in modules or TESTS:
            last = left.get(module) if again else None
            made, survivors = _try_module(folder, module, most, last)
            # With --again only survivors are tried: the total stays that of the last full run or sample.
            made = known[module]["mutants"] if last is not None else made
            share = round(100 * len(survivors) / made, 1)
            known[module] = {"module": module, "mutants": made, "survive": len(survivors), "%": share}
            left[module] = [mutant.change for mutant in survivors]
            total, tried = (sum(row[what] for row in known.values()) for what in ("survive", "mutants"))
            facts = {"survivors in all": f"{total} of {tried}, {100 * total / tried:.1f}%"}
            report(name, [known[m] for m in TESTS if m in known], facts)
            content = {"left": {m: left[m] for m in TESTS if m in left}}
            (RESULTS / f"{name}_left.json").write_text(json.dumps(content, indent=1) + "\n")


def _kept(name: str, what: str) -> Any:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8"))[what] if path.exists() else {}


def _try_module(
    folder: Path, module: str, most: int, last: Sequence[str] | None
) -> tuple[int, list[Mutant]]:
    """Try a module's mutants, or only those of the last run; return their number and the survivors."""
    tests = [test for test in TESTS[module] if (folder / "tests" / test).exists()]
    for test in tests:
        importlib.import_module(f"tests/{test}".removesuffix(".py").replace("/", "."))
    if not WITH_SPARK.isdisjoint(tests) and SparkContext._gateway is None:
        _start_session()
    path = folder / module
    original = path.read_text(encoding="utf-8")
    sys.dont_write_bytecode = False
    if _fails(folder, tests):
        output = (folder / "output.txt").read_text(encoding="utf-8")
        raise click.ClickException(f"the tests of {module} fail without a fault:\n{output}")
    # Other modules' bytecode saves time. A mutant's bytecode could be mistaken for the next mutant's,
    # since Python compares only the size and the time in seconds of the source.
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()
    sys.dont_write_bytecode = True
    # Otherwise each process's garbage collector scans the objects of all libraries.
    gc.collect()
    gc.freeze()
    made = mutants(path, FUNCTIONS.get(module))
    if most < len(made):
        made = random.Random(0).sample(made, most)
    chosen = made if last is None else [mutant for mutant in made if mutant.change in last]
    left = []
    for number, mutant in enumerate(chosen, 1):
        path.write_text(mutant.code, encoding="utf-8")
        started = time.perf_counter()
        if not _fails(folder, tests):
            left.append(mutant)
            click.echo(f"{module}, line {mutant.line}: mutant survives\n{mutant.change}")
        click.echo(f"{module} {number}/{len(chosen)} {time.perf_counter() - started:.1f} s", err=True)
    path.write_text(original, encoding="utf-8")
    return len(made), left


def _fails(folder: Path, tests: Sequence[str]) -> bool:
    """Tell whether any test fails; files are run in order until one fails."""
    return any(_file_fails(folder, test) for test in tests)


def _file_fails(folder: Path, test: str) -> bool:
    """Tell whether any test of a file fails or times out, in a process forked from this one."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os._exit(_run_tests(folder, test))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if SparkContext._gateway is not None:
        _forget_session()
        _start_session()
    return True


def _run_tests(folder: Path, test: str) -> int:
    os.chdir(folder)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.path[:] = [str(folder), *(part for part in sys.path if part not in ("", str(ROOT)))]
    for name in [n for n in sys.modules if n.split(".")[0] in ("common", "steps", "tests")]:
        del sys.modules[name]
    code = 1
    with open(folder / "output.txt", "w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        with redirect_stdout(output), redirect_stderr(output):
            options = [
                "-x",
                "--durations=0",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:hypothesispytest",
                f"--basetemp={folder}/temporary",
            ]
            options += ["--noconftest"] if test in ALONE else []
            code = int(pytest.main([*options, f"tests/{test}"]))
            output.flush()
    return code


@contextmanager
def _copy() -> Iterator[Path]:
    """Yield a copy of the project, so that an interrupted run leaves no mutant in the project itself."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "project")
        for name in COPIED:
            source, target = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(exist_ok=True)
                shutil.copy(source, target)
        yield folder


def _start_session() -> None:
    """Start the session that the forked processes use, one at a time, over this process's connection."""
    get_session("local[2]")
    # The tests of each process end with a call of stop, which would end the shared session.
    setattr(SparkSession, "stop", lambda session: None)  # noqa: B010


def _forget_session() -> None:
    """End the JVM, so that the next session gets a new one: the connection may hold half a message."""
    gateway = SparkContext._gateway
    if gateway is not None:
        gateway.proc.kill()
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None


if __name__ == "__main__":
    measure()
