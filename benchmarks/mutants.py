"""What share of small faults, planted one at a time, the tests of a module do not notice.

python -m benchmarks.mutants [MODULE ...] [--again]

The faults are those of mutmut's mutators. Its own runner leaves out decorated functions, and so all
properties, and what stands outside of functions; and it would start a JVM for each fault. Here each
fault is tried in a process that is forked with the libraries loaded and a warm session.
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
# What the tests of these modules read.
COPIED = ("common", "steps", "conf", "tests", "MLproject", "requirements.txt", "pyproject.toml")
TESTS = {
    "common/learning/metrics.py": ("common/learning/test_metric_values.py",),
    "common/data/stratify.py": ("common/data/test_stratify.py",),
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
    "common/search/result.py": ("common/search/test_result.py",),
    "common/search/findings/find.py": ("common/search/findings/test_find.py",),
}
# Of these modules the functions that are looked at; of the others all.
FUNCTIONS = {
    "common/store/get_or_run.py": (
        *("uri", "get_or_run", "_complete", "_find", "resolve_inputs", "_check_input", "searches_on"),
        *("_searches", "step_key", "source_fingerprint", "entry_defaults"),
    )
}
# A fault that makes the tests run for ever is noticed.
PATIENCE = 180
# Tests that need none of the fixtures of conftest.py, whose imports take longer than they do.
ALONE = {
    *("common/learning/test_metric_values.py", "common/champion/test_verdict.py"),
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
        line: where the fault is.
        code: of the whole module.
        change: the lines before and after.
    """

    line: int
    code: str
    change: str


class _Mutations(cst.CSTVisitor):
    """Collects what each node may be changed to; annotations, decorators and asserts stay."""

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
                    # Of a string's three mutants those in capitals and in small letters tell no more.
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
@click.option("--again", is_flag=True, help="Try the mutants alone that survived the last time.")
@click.option("--most", default=10_000, type=click.IntRange(1), help="Mutants of a module; drawn.")
@click.option("--name", default="mutants", help="Of the file under results/.")
def measure(modules: Sequence[str], again: bool, most: int, name: str) -> None:
    """Count the mutants that the tests of their module do not notice."""
    rows, left = _kept(f"{name}.json", "rows"), _kept(f"{name}_left.json", "left")
    known = {row["module"]: row for row in rows}
    with _copy() as folder:
        for module in modules or TESTS:
            last = left.get(module) if again else None
            made, survivors = _try_module(folder, module, most, last)
            # Of a sample that was tried, the survivors alone are tried again.
            made = known[module]["mutants"] if last is not None else made
            share = round(100 * len(survivors) / made, 1)
            known[module] = {"module": module, "mutants": made, "survive": len(survivors), "%": share}
            left[module] = [mutant.change for mutant in survivors]
            total, tried = (sum(row[what] for row in known.values()) for what in ("survive", "mutants"))
            facts = {"of all survive": f"{total} of {tried}, {100 * total / tried:.1f}%"}
            report(name, [known[m] for m in TESTS if m in known], facts)
            content = {"left": {m: left[m] for m in TESTS if m in left}}
            (RESULTS / f"{name}_left.json").write_text(json.dumps(content, indent=1) + "\n")


def _kept(name: str, what: str) -> Any:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8"))[what] if path.exists() else {}


def _try_module(
    folder: Path, module: str, most: int, last: Sequence[str] | None
) -> tuple[int, list[Mutant]]:
    """Try a module's mutants, or of them those of the last time; return all and who survived."""
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
    # The others' bytecode saves time; a mutant's could be taken for the next one's, by size and second.
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()
    sys.dont_write_bytecode = True
    # Else each process looks through all libraries' objects for garbage.
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
            click.echo(f"{module}, line {mutant.line}, survives:\n{mutant.change}")
        click.echo(f"{module} {number}/{len(chosen)} {time.perf_counter() - started:.1f} s", err=True)
    path.write_text(original, encoding="utf-8")
    return len(made), left


def _fails(folder: Path, tests: Sequence[str]) -> bool:
    """Tell whether some test fails; a file's tests are run where those before found nothing."""
    return any(_file_fails(folder, test) for test in tests)


def _file_fails(folder: Path, test: str) -> bool:
    """Tell whether some test of a file fails, in a process forked from this one."""
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
    """Give a copy of the project, so that a run that is ended leaves no fault in this one."""
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
    """Start the session that the forked processes use, one at a time, by this one's connection."""
    get_session("local[2]")
    # Each process ends its tests by this.
    setattr(SparkSession, "stop", lambda session: None)  # noqa: B010


def _forget_session() -> None:
    """Have the next session be another JVM's: in this one's connection there may be half a message."""
    gateway = SparkContext._gateway
    if gateway is not None:
        gateway.proc.kill()
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None


if __name__ == "__main__":
    measure()
