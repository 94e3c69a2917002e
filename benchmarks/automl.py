"""learner=auto beside FLAML and AutoGluon: the same rows, minutes and cores.

python -m benchmarks.automl --source FILE [--peer flaml=PYTHON ...] [--minutes 1] [--only NAME ...]

Adult over five seeds of the split, and scikit-learn's own tables. A peer runs in an environment of its
own, whose Python is given: docs/benchmarks.md says how it is made. All get the rows of the project's own
split. Time is that of the search alone; ours is also told as the whole step, refit and export included.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import click
import mlflow
import numpy as np
import pandas as pd
from sklearn import metrics as sk

from common.machine.spark import get_session
from common.store.artifacts import fetch
from common.store.get_or_run import dataset_at
from tests.checkout import copy_project
from tests.odd_tables import BINARY, MULTICLASS, ODD_TABLES, REGRESSION
from tests.odd_tables.scikit_learn import TASKS
from tests.plain_pipeline import encoded

from .own_project import OwnProject
from .report import report, show

PEER = Path(__file__).with_name("automl_peer.py")
SEEDS = (42, 1, 2, 3, 4)
# Enough that the minutes alone end the search.
ENDLESS = {"generations": 1000, "patience": 1000}
LATENCY_RUNS = 100
# For each task: the metrics of the table.
SCORES = {
    BINARY: ("roc_auc", "log_loss", "f1"),
    MULTICLASS: ("log_loss", "accuracy"),
    REGRESSION: ("rmse", "r2"),
}


@dataclass(frozen=True)
class Case:
    """A table and the seed of its split."""

    table: str
    source: Path
    label: str
    task: str
    seed: int
    dataset: str = "auto"


@click.command()
@click.option(
    "--source", required=True, type=click.Path(exists=True, path_type=Path), help="Adult's file."
)
@click.option("--peer", "peers", multiple=True, help="flaml=PYTHON or autogluon=PYTHON.")
@click.option("--minutes", default=1.0, help="Minutes of each search.")
@click.option("--splits", default=len(SEEDS), help="Number of splits of Adult.")
@click.option("--only", multiple=True, help="Table; nothing is written then.")
def automl(
    source: Path, peers: tuple[str, ...], minutes: float, splits: int, only: tuple[str, ...]
) -> None:
    """Search each table by learner=auto, and by the peers."""
    pythons = dict(one.split("=", 1) for one in peers)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())).absolute()
        copy_project(folder / "checkout")
        rows = []
        for case in _cases(source, folder, SEEDS[:splits]):
            if not only or case.table in only:
                rows += _try(case, folder, pythons, minutes)
                click.echo(f"{case.table}, seed {case.seed}: done", err=True)
    facts = _facts(rows)
    if only:
        show(rows, facts)
    else:
        report("automl", rows, facts)


def _cases(source: Path, folder: Path, seeds: Sequence[int]) -> list[Case]:
    adult = [Case("adult", source.absolute(), "income", BINARY, seed, "adult") for seed in seeds]
    tables = [ODD_TABLES[name] for name in TASKS]
    small = [Case(one.name, one.write(folder), one.label, one.task, SEEDS[0]) for one in tables]
    return adult + small


def _try(case: Case, folder: Path, peers: Mapping[str, str], minutes: float) -> list[dict[str, Any]]:
    place = folder / f"{case.table}-{case.seed}"
    place.mkdir()
    project = OwnProject.in_folder(folder / "checkout", place)
    features = _features(case, project)
    rows = [_ours(case, project, features, minutes)]
    train, test, labels = _sides(project)
    for peer, python in peers.items():
        rows.append(_theirs(case, place / peer, (peer, python), (train, test, labels), minutes))
    return rows


def _features(case: Case, project: OwnProject) -> str:
    """Run the steps up to featurize; return the URI of the features."""
    origin = {"source": case.source, "label": case.label, "dataset": case.dataset}
    project.run("load_data", **origin)
    project.run("split", data=_uri(project, "load_data", "data"), seed=case.seed)
    project.run("featurize", split=_uri(project, "split"), seed=case.seed)
    return _uri(project, "featurize")


def _uri(project: OwnProject, step: str, path: str = "") -> str:
    return f"runs:/{project.step_run(step).info.run_id}/{path}".rstrip("/")


def _ours(case: Case, project: OwnProject, features: str, minutes: float) -> dict[str, Any]:
    started = time.perf_counter()
    project.run("train_ga", features=features, learner="auto", minutes=minutes, seed=case.seed, **ENDLESS)
    whole = time.perf_counter() - started
    run = project.step_run("train_ga")
    kept = Path(fetch(f"runs:/{run.info.run_id}/portable-model"))
    found = {name: run.data.metrics[f"test_{name}"] for name in SCORES[case.task]}
    return {
        **_named(case, "ours"),
        **found,
        "seconds": 60 * minutes,
        "step_seconds": whole,
        "megabytes": sum(file.stat().st_size for file in kept.rglob("*") if file.is_file()) / 1e6,
        "milliseconds": _latency(kept, project),
        "best": run.data.tags["learner"],
    }


def _latency(kept: Path, project: OwnProject) -> float:
    """Return the median time of one record, in milliseconds."""
    model = mlflow.pyfunc.load_model(str(kept))
    record = _kept(project, "test").head(1).drop(columns=_spec(project)["label"])
    taken = []
    for _ in range(LATENCY_RUNS):
        started = time.perf_counter()
        model.predict(record)
        taken.append(time.perf_counter() - started)
    return 1000 * median(taken)


def _theirs(
    case: Case,
    place: Path,
    peer: tuple[str, str],
    rows: tuple[pd.DataFrame, pd.DataFrame, list[str]],
    minutes: float,
) -> dict[str, Any]:
    train, test, labels = rows
    place.mkdir()
    train.to_parquet(place / "train.parquet")
    test.to_parquet(place / "test.parquet")
    asked = {"label": case.label, "task": case.task, "labels": labels, "minutes": minutes}
    asked |= {"seed": case.seed, "cores": os.cpu_count() or 1}
    (place / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    name, python = peer
    done = subprocess.run(
        [python, str(PEER), name, str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    truth = encoded(test[case.label], case.task, labels)
    return {**_named(case, name), **_scores(case.task, truth, np.load(place / "predicted.npy")), **facts}


def _scores(task: str, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    if task == REGRESSION:
        return {
            "rmse": sk.root_mean_squared_error(truth, predicted),
            "r2": sk.r2_score(truth, predicted),
        }
    found = {"log_loss": sk.log_loss(truth, predicted, labels=range(predicted.shape[1]))}
    if task == MULTICLASS:
        return {**found, "accuracy": sk.accuracy_score(truth, predicted.argmax(axis=1))}
    # The peers predict at 0.5.
    positive = predicted[:, 1]
    return {
        "roc_auc": sk.roc_auc_score(truth, positive),
        **found,
        "f1": sk.f1_score(truth, positive > 0.5),
    }


def _named(case: Case, who: str) -> dict[str, Any]:
    return {"table": case.table, "seed": case.seed, "who": who}


def _sides(project: OwnProject) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the training and test rows of the split, with texts for labels, and the labels in order."""
    spec = _spec(project)
    sides = []
    for side in ("train", "test"):
        rows = _kept(project, side)
        if spec["labels"]:
            rows[spec["label"]] = rows[spec["label"]].astype(str)
        sides.append(rows)
    return sides[0], sides[1], spec["labels"]


def _kept(project: OwnProject, side: str) -> pd.DataFrame:
    place = fetch(_uri(project, "split", side))
    return cast(pd.DataFrame, get_session().read.parquet(Path(place).as_uri()).toPandas())


def _spec(project: OwnProject) -> dict[str, Any]:
    spec = dataset_at(_uri(project, "split"))
    return {"label": spec.label, "labels": list(spec.labels)}


def _facts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean of each score over Adult's splits, by who."""
    table = pd.DataFrame(rows)
    adult = table[table["table"] == "adult"]
    if adult.empty:
        return {}
    means = adult.groupby("who")[[*SCORES[BINARY], "seconds"]].mean()
    return {f"adult, {who}": row.round(5).to_dict() for who, row in means.iterrows()}


if __name__ == "__main__":
    automl()
