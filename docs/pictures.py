"""Make the pictures and tables of the documents from the runs in the store.

`make pictures`, or python -m docs.pictures [--folder FOLDER] [--browser CHROMIUM]; docs/walkthrough.md
lists the runs that it reads. MLFLOW_TRACKING_URI names the store, as for every other command.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from common.errors import UserError
from common.learning.learners import get_learner
from common.plots.chart import ORANGE, Chart, Line, Panel, Parallel
from common.plots.search import search_charts
from common.plots.still import draw
from common.search.findings.candidates import Candidates, difference, parse_candidates
from common.search.findings.find import Finding, find
from common.store import artifacts, tracking
from common.store.experiment import find_experiment
from docs.screenshots import take
from steps.command import command

IMAGES = Path(__file__).parent / "images"
# All searches have the same rows, folds and metric.
FEATURES = f"{tracking.INPUT}features"
METRIC = "metric"


@dataclass(frozen=True)
class Search:
    """A search to find among the finished runs: the newest that uses the champion's features.

    Attributes:
        command: The entry point and parameters that make such a run.
        step: Its entry point.
        learner: Its parameter `learner`.
        grids: Possible beginnings of its parameter `grid`, or of `space` for train_ga.
    """

    command: str
    step: str
    learner: str
    grids: tuple[str, ...]


SEARCHES = {
    "coarse": Search("main", "train_grid", "gbt", ("auto", "gbt_coarse")),
    "fine": Search("train_grid -P grid=gbt_fine", "train_grid", "gbt", ("gbt_fine",)),
    "second": Search("train_grid -P grid=runs:/COARSE/next_grid.yaml", "train_grid", "gbt", ("runs:/",)),
    "genetic": Search("main", "train_ga", "gbt", ("auto",)),
}
# In the table of scores, if they were run.
LEARNERS = ("xgboost", "logistic_regression", "random_forest", "linear_svc")

# Pictures of a search that are copied unchanged: file -> (search, name of the picture).
COPIES = {
    "search_effects.png": ("coarse", "effects.png"),
    "coarse_pairs.png": ("coarse", "pairs.png"),
    "fine_effects.png": ("fine", "effects.png"),
    "second_effects.png": ("second", "effects.png"),
    "genetic_generations.png": ("genetic", "generations.png"),
    "genetic_effects.png": ("genetic", "effects.png"),
    "winner_strata.png": ("champion", "strata.png"),
    "winner_confusion.png": ("champion", "confusion.png"),
    "winner_threshold.png": ("champion", "threshold.png"),
    "winner_features.png": ("champion", "features.png"),
}


@command("pictures")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=IMAGES)
@click.option("--browser", default="chromium", help="Chromium's command.")
@click.option("--name", default="income", help="Name of the registered model.")
def pictures(folder: Path, browser: str, name: str) -> None:
    """Draw, copy and capture the pictures into FOLDER, and print the documents' tables."""
    chromium = shutil.which(browser)
    if chromium is None:
        raise UserError(f"browser must be Chromium's command or path, got {browser!r}, which is neither")
    champion = _champion(name)
    same = {key: champion.data.tags[key] for key in (FEATURES, METRIC)}
    runs = {key: _needed(search, same) for key, search in SEARCHES.items()}
    shown = {**runs, "champion": champion}
    others = {
        learner: _newest(Search("", "train_grid", learner, ("auto",)), same) for learner in LEARNERS
    }
    files = _cuts(_candidates(runs["coarse"]))
    files |= {file: _picture(shown[key], picture) for file, (key, picture) in COPIES.items()}
    files |= take(chromium, runs["coarse"].info.run_id, same[METRIC])
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    click.echo(_features(runs["coarse"]))
    click.echo(_scores({**runs, **{key: run for key, run in others.items() if run}}))
    click.echo(f"{len(files)} pictures in {folder}, {sum(map(len, files.values())) / 1e6:.1f} MB")


def _needed(search: Search, same: Mapping[str, str]) -> Run:
    run = _newest(search, same)
    if run is None:
        raise UserError(
            f"no run on the champion's features by {same[METRIC]}: mlflow run . -e {search.command} "
            f"-P metric={same[METRIC]} makes it"
        )
    return run


def _newest(search: Search, same: Mapping[str, str]) -> Run | None:
    tags = {tracking.STEP: search.step, "learner": search.learner, **same}
    for run in tracking.find_finished(tags, find_experiment(), 100):
        if run.data.params.get("grid", run.data.params.get("space", "")).startswith(search.grids):
            return run
    return None


def _champion(name: str) -> Run:
    try:
        version = MlflowClient().get_model_version_by_alias(name, "champion")
    except MlflowException:
        raise UserError(f"model {name!r} has no champion: mlflow run . -e champion makes it") from None
    return mlflow.get_run(str(version.run_id))


def _candidates(run: Run) -> Candidates:
    uri = f"runs:/{run.info.run_id}/candidates.csv"
    return parse_candidates(artifacts.read_text(uri), uri)


def _picture(run: Run, name: str) -> bytes:
    return Path(artifacts.fetch(f"runs:/{run.info.run_id}/plots/{name}")).read_bytes()


def _cuts(candidates: Candidates) -> dict[str, bytes]:
    """Return a picture a hyperparameter: its part of the effects, and what its best has to say."""
    effects = next(chart for chart in search_charts(candidates) if chart.name == "effects")
    if isinstance(effects.panels, Parallel):
        raise TypeError("effects are panels")
    panels = {panel.x: panel for panel in effects.panels}
    findings = find(candidates, get_learner("gbt").parameters).parameters
    return {f"coarse_{one.name}.png": draw(_cut(one, panels[one.name])) for one in findings}


def _cut(one: Finding, panel: Panel) -> Chart:
    levels = [level.label for level in one.effect.levels]
    lag = np.array([behind.mean for behind in one.behind])
    error = np.array([behind.error for behind in one.behind])
    line = Line(np.arange(len(levels)), lag, "", ORANGE, dots=True, low=lag - error, high=lag + error)
    best = Panel("the best candidate at each value", one.name, "behind the best of all", [line], levels)
    gain = f"{one.gain.mean:.4f} ± {one.gain.error:.4f}"
    return Chart(
        f"coarse_{one.name}",
        f"{one.name}: {levels[one.best]} gains {gain} over {levels[one.worst]} on the average",
        "Left, a dot: a candidate; line: mean at a value, bars: one standard deviation over the folds, "
        "without what all values share; star: the best. Right: how far the best candidate at a value is "
        "behind the best of all, paired by fold; bars: one standard error.",
        [panel, best],
        columns=2,
    )


def _features(run: Run) -> str:
    """Return where each column of the data stands in the vector, as Markdown."""
    text = artifacts.read_text(f"{run.data.tags[FEATURES]}/feature_names.json")
    places: dict[str, list[int]] = {}
    for place, name in enumerate(json.loads(text)):
        column = name.removesuffix(" other").removesuffix(" missing").split("=")[0]
        places.setdefault(column, []).append(place)
    rows = [
        {"column": name, "features": len(at), "places": f"{at[0]} to {at[-1]}" if at[1:] else str(at[0])}
        for name, at in places.items()
    ]
    return pd.DataFrame(rows).to_markdown(index=False)


def _scores(runs: Mapping[str, Run]) -> str:
    """Return what each search found, as Markdown."""
    rows = []
    for key, run in runs.items():
        found, metric = _candidates(run), run.data.tags[METRIC]
        error = difference(found.folds[0]).error
        rows.append(
            {
                "search": key,
                "candidates": len(found.means),
                "the best": found.names[0],
                f"{metric} over folds": f"{found.means[0]:.4f} ± {error:.4f}",
                f"{metric} on test": f"{run.data.metrics[f'test_{metric}']:.4f}",
                "fits, s": f"{found.seconds.sum():.0f}",
            }
        )
    return pd.DataFrame(rows).to_markdown(index=False)


if __name__ == "__main__":
    pictures()
