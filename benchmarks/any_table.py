"""Odd tables from file to served model by one command each, beside a plain scikit-learn pipeline.

python -m benchmarks.any_table [--only NAME ...] [--keep FOLDER]

For each table of tests/odd_tables: main trains and registers a model. The Spark pipeline, predict and the
service score the test rows, the latter two from a file in the table's own form, and must agree. The plain
pipeline learns from the same training rows. Each input that must be refused is given to main as well.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import click
import mlflow
import numpy as np
import pandas as pd
import yaml
from pyspark.sql import DataFrame

from common.machine.spark import get_session
from common.store.artifacts import model_folder
from common.store.registry import SEARCH
from tests.checkout import copy_project
from tests.odd_tables import BAD_INPUTS, MULTICLASS, ODD_TABLES, REGRESSION, BadInput, OddTable
from tests.plain_pipeline import DECISIVE, encoded, predict_plainly, resampled, scores

from .own_project import CommandFailed, OwnProject, last_line
from .raw_rows import places_of
from .report import report, show
from .served import served
from .three_ways import Scores, by_batch, by_pipeline, by_service, difference

NAME = "any_table"
MODEL = f"models:/{NAME}@champion"
# A small search, so that a table takes a minute.
BRIEF = {"name": NAME, "profile": "none", "generations": 0}
TREES = {"learner": "gbt", "grid": json.dumps({"maxDepth": [3, 5], "maxIter": [20, 50]})}
XGBOOST = {"learner": "xgboost", "grid": json.dumps({"max_depth": [3, 5], "n_estimators": [50, 100]})}
CLEAR = 2  # standard errors


@click.command()
@click.option("--only", multiple=True, help="Name of a table or bad input; nothing is written then.")
@click.option("--keep", type=click.Path(path_type=Path), help="New folder for all files and stores.")
def any_table(only: tuple[str, ...], keep: Path | None) -> None:
    """Take each odd table through the project, and compare it with a plain pipeline."""
    known = [*ODD_TABLES, *BAD_INPUTS]
    if strange := [name for name in only if name not in known]:
        raise click.ClickException(f"unknown: {', '.join(strange)}; known: {', '.join(known)}")
    chosen = only or known
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        checkout = folder.absolute() / "checkout"
        copy_project(checkout)
        rows = [try_table(ODD_TABLES[name], checkout) for name in chosen if name in ODD_TABLES]
        bad = [_try_bad(BAD_INPUTS[name], checkout) for name in chosen if name in BAD_INPUTS]
    verdicts = [str(row["verdict"]).partition(":")[0] for row in rows]
    facts = {
        "tables by verdict": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        "bad inputs": {row["table"]: row["verdict"] for row in bad},
    }
    if only:
        show(rows, facts)
    else:
        report(NAME, rows, facts)


def try_table(table: OddTable, checkout: Path) -> dict[str, Any]:
    """Return a table's row of the result; a failure is its verdict."""
    started = time.perf_counter()
    row: dict[str, Any] = {"table": table.name, "what": table.what, "rows": len(table.cells)}
    row |= {"task": table.task, "metric": DECISIVE[table.task][0]}
    try:
        row |= _measure(table, checkout)
    # One table that fails in whichever way must not hide the others.
    except Exception as error:
        text = str(error) if isinstance(error, CommandFailed) else f"{type(error).__name__}: {error}"
        row["verdict"] = f"failed: {' '.join(text.split())}"
    row["seconds"] = round(time.perf_counter() - started, 1)
    click.echo(f"{table.name}: {row['verdict']}", err=True)
    return row


def _measure(table: OddTable, checkout: Path) -> dict[str, Any]:
    """Train on a table, score its test rows in three ways, and compare with the plain pipeline."""
    folder = checkout.parent / table.name
    folder.mkdir()
    project = OwnProject.in_folder(checkout, folder)
    given = XGBOOST if table.task == MULTICLASS else TREES
    source = table.write(folder)
    project.run("main", source=source, label=table.label, **BRIEF, **given)
    split = project.step_run("split").info.run_id
    test = _kept(split, "test")
    labels = _labels(split) if table.task != REGRESSION else []
    ours = by_pipeline(test, _pipeline_uri(), table.task)
    train_rows, test_rows = _in_pandas(_kept(split, "train")), _in_pandas(test)
    apart = _differences(table, project, folder, places_of(test_rows, table.cells), ours, labels)
    plain = predict_plainly(train_rows, test_rows, table.label, table.task, labels)
    truth = encoded(test_rows[table.label], table.task, labels)
    return compared(table.task, truth, ours.values, plain, apart)


def _kept(run: str, side: str) -> DataFrame:
    """Return one side of a split. Both are read by Spark: each reading has the same order."""
    place = mlflow.artifacts.download_artifacts(f"runs:/{run}/{side}")
    return get_session().read.parquet(Path(place).as_uri())


def _in_pandas(rows: DataFrame) -> pd.DataFrame:
    # PySpark's type hint is that of no class.
    return cast(pd.DataFrame, rows.toPandas())


def _labels(run: str) -> list[str]:
    """Return the labels in the model's order, the positive one last if there are two."""
    place = mlflow.artifacts.download_artifacts(f"runs:/{run}/dataset.yaml")
    content = yaml.load(Path(place).read_text(encoding="utf-8"), yaml.BaseLoader)
    return [str(label) for label in content["labels"]]


def _pipeline_uri() -> str:
    version = mlflow.MlflowClient().get_model_version_by_alias(NAME, "champion")
    return f"runs:/{version.tags[SEARCH]}/spark-model"


def _differences(
    table: OddTable,
    project: OwnProject,
    folder: Path,
    places: np.ndarray,
    ours: Scores,
    labels: Sequence[str],
) -> dict[str, str]:
    """Score the test rows of the raw file by predict and the service; return what differs."""
    raw = table.write_some(folder, places)
    batch = by_batch(project, MODEL, raw, folder / "scores.parquet", table.task, labels)
    with served(str(model_folder(MODEL))) as service:
        answered = by_service(service, raw, table.form, table.task, labels)
    found = {
        "predict and pipeline": difference(batch, ours),
        "service and predict": difference(answered, batch),
    }
    return {pair: said for pair, said in found.items() if said}


def compared(
    task: str, truth: np.ndarray, ours: np.ndarray, plain: np.ndarray, apart: dict[str, str]
) -> dict[str, Any]:
    """Return the scores of both, the standard error of their difference, and the verdict."""
    metric, sign = DECISIVE[task]
    drawn = resampled(task, truth, [ours, plain])
    error = float(np.std(drawn[:, 0] - drawn[:, 1]))
    scored = [scores(task, truth, predicted)[metric] for predicted in (ours, plain)]
    lead = sign * (scored[0] - scored[1])
    verdict = "worse" if lead < -CLEAR * error else "better" if lead > CLEAR * error else "as good"
    if apart:
        verdict = "disagrees: " + "; ".join(f"{pair}: {said}" for pair, said in apart.items())
    figures = zip(("ours", "plain", "standard error"), (*scored, error), strict=True)
    return {**{name: float(f"{value:.4g}") for name, value in figures}, "verdict": verdict}


def _try_bad(bad: BadInput, checkout: Path) -> dict[str, str]:
    """Give main an input that it must refuse; the verdict is `refused`, or what is wrong."""
    folder = checkout.parent / bad.name
    folder.mkdir()
    project = OwnProject.in_folder(checkout, folder)
    source = bad.write(folder)
    done = project.command("main", source=source, label=bad.label, **bad.options, **BRIEF, **TREES)
    line = last_line(done.stderr)
    errors = [one for one in done.stderr.splitlines() if one.startswith("Error: ")]
    unnamed = [text for text in bad.named if text.casefold() not in line.casefold()]
    if done.returncode == 0:
        verdict = "accepted"
    elif "Traceback" in done.stderr or errors != [line]:
        verdict = f"no single line: {line}"
    else:
        verdict = f"does not name {unnamed}: {line}" if unnamed else "refused"
    click.echo(f"{bad.name}: {verdict}", err=True)
    return {"table": bad.name, "verdict": verdict}


if __name__ == "__main__":
    any_table()
