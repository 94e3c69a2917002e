"""Odd tables from file to served model by one command each, beside a plain scikit-learn pipeline.

python -m benchmarks.any_table [--only NAME ...] [--keep FOLDER] [--learner NAME] [--seed N] [--apart]

For each table of tests/odd_tables: main trains and registers a model. The Spark pipeline, predict and the
service score the test rows, the latter two from a file in the table's own form, and must agree. The plain
pipeline learns from the same training rows. Each input that must be refused is given to main as well.

All commands share a process, since most of a small table's time is the start of JVMs; --apart gives each
its own, as a user's commands have. Each row of the result is added to FOLDER/rows.jsonl as it is known.
"""

import json
import math
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, cast

import click
import mlflow
import numpy as np
import pandas as pd
import yaml
from pyspark.sql import DataFrame

from common.learning.learners import RACE
from common.machine.spark import get_session
from common.store import tracking
from common.store.artifacts import model_folder
from common.store.registry import SEARCH
from common.workflow.declaration import STEPS
from tests.checkout import copy_project
from tests.odd_tables import BAD_INPUTS, BINARY, MULTICLASS, ODD_TABLES, BadInput, OddTable
from tests.plain_pipeline import DECISIVE, encoded, predict_plainly, resampled, scores

from .adult import FOLDS, SEED
from .one_process import OneProcess
from .own_project import CommandFailed, OwnProject, last_line
from .raw_rows import places_of
from .report import report, show
from .served import starting
from .three_ways import by_batch, by_pipeline, by_service, difference

NAME = "any_table"
MODEL = f"models:/{NAME}@champion"
# A small search, so that a table takes a minute.
BRIEF = {"name": NAME, "profile": "none"}
TREES = {"learner": "gbt", "grid": json.dumps({"maxDepth": [3, 5], "maxIter": [20, 50]})}
XGBOOST = {"learner": "xgboost", "grid": json.dumps({"max_depth": [3, 5], "n_estimators": [50, 100]})}
# A learner that is asked for has its own space: a few generations take as long.
GENERATIONS = {"generations": 2, "population": 8}
CLEAR = 2  # standard errors
# Standard errors by which folds and test rows differ if rows of one say something of the other.
APART = 4
ERROR = "Error: "
# Steps that fit something.
FITTING = {"featurize", "train_grid", "train_ga"}


@click.command()
@click.option("--only", multiple=True, help="Name of a table or bad input; nothing is written then.")
@click.option("--keep", type=click.Path(path_type=Path), help="New folder for all files and stores.")
@click.option(
    "--learner",
    help="Learner of all tables, searched by generations (auto: a race); default: a small grid.",
)
@click.option(
    "--seed", default=SEED, help="Seed of all splits; with another than the usual one nothing is written."
)
@click.option("--apart", is_flag=True, help="Whether each command and step has a process of its own.")
def any_table(
    only: tuple[str, ...], keep: Path | None, learner: str | None, seed: int, apart: bool
) -> None:
    """Take each odd table through the project, and compare it with a plain pipeline."""
    known = [*ODD_TABLES, *BAD_INPUTS]
    if strange := [name for name in only if name not in known]:
        raise click.ClickException(f"unknown: {', '.join(strange)}; known: {', '.join(known)}")
    chosen = only or known
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        checkout = folder.absolute() / "checkout"
        copy_project(checkout)
        process = None if apart else stack.enter_context(closing(OneProcess(checkout)))
        rows = [
            _noted(try_table(ODD_TABLES[name], checkout, process, learner, seed), folder)
            for name in chosen
            if name in ODD_TABLES
        ]
        bad = [
            _noted(try_bad(BAD_INPUTS[name], checkout, process), folder)
            for name in chosen
            if name in BAD_INPUTS
        ]
    verdicts = [str(row["verdict"]).partition(":")[0] for row in rows]
    facts = {
        "learner": learner or "by task, a small grid",
        "tables by verdict": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        "bad inputs": {row["table"]: row["verdict"] for row in bad},
    }
    if only or seed != SEED:
        show(rows, facts)
    else:
        report(NAME if learner is None else f"{NAME}_{learner}", rows, facts)


def _noted(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Show a row of the result, and keep it: the whole takes long."""
    click.echo(f"{row['table']}: {row['verdict']} ({row['seconds']} s)", err=True)
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return row


def try_table(
    table: OddTable,
    checkout: Path,
    process: OneProcess | None = None,
    learner: str | None = None,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return a table's row of the result; a failure is its verdict.

    Args:
        table: The table.
        checkout: A copy of the project.
        process: The process in which commands run; None: each in one of its own.
        learner: The learner; None: trees of the task, with a small grid.
        seed: The seed of the split, and of all else.
    """
    started = time.perf_counter()
    row: dict[str, Any] = {"table": table.name, "what": table.what, "rows": len(table.cells)}
    row |= {"task": table.task, "metric": DECISIVE[table.task][0]}
    try:
        row |= _measure(table, checkout, process, {**given_to(table.task, learner), "seed": seed})
    # One table that fails in whichever way must not hide the others.
    except Exception as error:
        text = str(error) if isinstance(error, CommandFailed) else f"{type(error).__name__}: {error}"
        row["verdict"] = f"failed: {' '.join(text.split())}"
    row["seconds"] = round(time.perf_counter() - started, 1)
    return row


def given_to(task: str, learner: str | None) -> dict[str, object]:
    """Return what main is given beside the table, so that a search takes a minute."""
    # A race's grids are enough: all learners of the task are in them.
    if learner == RACE:
        return {**BRIEF, "generations": 0, "learner": learner}
    if learner is not None:
        return {**BRIEF, **GENERATIONS, "learner": learner}
    return {**BRIEF, "generations": 0, **(XGBOOST if task == MULTICLASS else TREES)}


def _measure(
    table: OddTable, checkout: Path, process: OneProcess | None, given: Mapping[str, object]
) -> dict[str, Any]:
    """Train on a table, score its test rows in three ways, and compare with the plain pipeline."""
    folder = checkout.parent / table.name
    folder.mkdir()
    project = OwnProject.in_folder(checkout, folder, process)
    source = table.write(folder)
    project.run("main", source=source, label=table.label, **given)
    split = project.step_run("split").info.run_id
    with starting(str(model_folder(MODEL))) as service:
        test, spec = _kept(split, "test"), _spec(split)
        labels = [str(label) for label in spec.get("labels", [])]
        ours = by_pipeline(test, _pipeline_uri(), table.task)
        train_rows, test_rows = (
            named_as_in_file(_in_pandas(one), spec) for one in (_kept(split, "train"), test)
        )
        raw = table.write_some(folder, places_of(test_rows, table.cells))
        batch = by_batch(project, MODEL, raw, folder / "scores.parquet", table.task, labels)
        answered = by_service(service(), raw, table.form, table.task, labels)
    found = {
        "predict and pipeline": difference(batch, ours),
        "service and predict": difference(answered, batch),
    }
    apart = {pair: said for pair, said in found.items() if said}
    plain = predict_plainly(train_rows, test_rows, table.label, table.task, labels)
    truth = encoded(test_rows[table.label], table.task, labels)
    return compared(table.task, truth, ours.values, plain, _over_folds(table.task), apart)


def _kept(run: str, side: str) -> DataFrame:
    """Return one side of a split. Both are read by Spark: each reading has the same order."""
    place = mlflow.artifacts.download_artifacts(f"runs:/{run}/{side}")
    return get_session().read.parquet(Path(place).as_uri())


def _in_pandas(rows: DataFrame) -> pd.DataFrame:
    # PySpark's type hint is that of no class.
    return cast(pd.DataFrame, rows.toPandas())


def _spec(run: str) -> dict[str, Any]:
    """Return what a split says of the data set, such as the labels, the positive one of two last."""
    place = mlflow.artifacts.download_artifacts(f"runs:/{run}/dataset.yaml")
    return cast(dict[str, Any], yaml.load(Path(place).read_text(encoding="utf-8"), yaml.BaseLoader))


def named_as_in_file(kept: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Return rows that a split kept with the columns' names in the file."""
    return kept.rename(columns={own: name for name, own in spec.get("rename", {}).items()})


def _pipeline_uri() -> str:
    return f"runs:/{_search()}/spark-model"


def _search() -> str:
    return mlflow.MlflowClient().get_model_version_by_alias(NAME, "champion").tags[SEARCH]


def _over_folds(task: str) -> tuple[float, float]:
    """Return the deciding metric of the champion over the folds, and its standard error."""
    found, metric = mlflow.get_run(_search()).data.metrics, f"val_{DECISIVE[task][0]}"
    return found[metric], found[f"{metric}_std"] / math.sqrt(FOLDS)


def compared(
    task: str,
    truth: np.ndarray,
    ours: np.ndarray,
    plain: np.ndarray,
    folds: tuple[float, float],
    apart: dict[str, str],
) -> dict[str, Any]:
    """Return the scores of both, the standard error of their difference, and the verdict.

    Args:
        task: binary, multiclass or regression.
        truth: The test rows' labels or numbers.
        ours: What the project predicts for them.
        plain: What the plain pipeline predicts for them.
        folds: The project's score over the folds, and its standard error.
        apart: What batch, service and pipeline differ in.
    """
    metric, sign = DECISIVE[task]
    drawn = resampled(task, truth, [ours, plain])
    error = float(np.std(drawn[:, 0] - drawn[:, 1]))
    scored = [scores(task, truth, predicted)[metric] for predicted in (ours, plain)]
    lead = sign * (scored[0] - scored[1])
    verdict = "worse" if lead < -CLEAR * error else "better" if lead > CLEAR * error else "as good"
    alone = math.hypot(float(np.std(drawn[:, 0])), folds[1])
    if abs(folds[0] - scored[0]) > APART * alone:
        verdict = f"folds and test rows apart: {folds[0]:.4g} and {scored[0]:.4g}"
    if apart:
        verdict = "disagrees: " + "; ".join(f"{pair}: {said}" for pair, said in apart.items())
    figures = zip(("folds", "ours", "plain", "standard error"), (folds[0], *scored, error), strict=True)
    return {**{name: float(f"{value:.4g}") for name, value in figures}, "verdict": verdict}


def try_bad(bad: BadInput, checkout: Path, process: OneProcess | None = None) -> dict[str, Any]:
    """Give main an input that it must refuse; the verdict is `refused`, or what is wrong."""
    started = time.perf_counter()
    folder = checkout.parent / bad.name
    folder.mkdir()
    project = OwnProject.in_folder(checkout, folder, process)
    done = project.command("main", **{**given_to(BINARY, None), **bad.asked(folder)})
    steps = {name for name in STEPS if tracking.find_finished({tracking.STEP: name}, project.experiment)}
    verdict = refusal(done.returncode, done.stderr, bad.named, steps)
    return {"table": bad.name, "verdict": verdict, "seconds": round(time.perf_counter() - started, 1)}


def refusal(code: int, shown: str, named: Sequence[str], finished: Collection[str]) -> str:
    """Return `refused`, or what is wrong with how a command refused an input.

    Args:
        code: The command's exit code.
        shown: What it wrote to its error stream.
        named: Texts that the error must contain, whatever the case.
        finished: The steps that finished: none may have fitted anything.
    """
    errors = [line for line in shown.splitlines() if line.startswith(ERROR)]
    if code == 0:
        return "accepted"
    traces = ("Traceback", "\n\tat ")
    if any(trace in shown for trace in traces) or len(errors) != 1 or code != 1:
        return f"exit code {code} and {len(errors)} lines: {' / '.join(errors) or last_line(shown)}"
    if unnamed := [text for text in named if text.casefold() not in errors[0].casefold()]:
        return f"does not name {unnamed}: {errors[0]}"
    if fitted := sorted(set(finished) & FITTING):
        return f"refused after {', '.join(fitted)}: {errors[0]}"
    return "refused"


if __name__ == "__main__":
    any_table()
