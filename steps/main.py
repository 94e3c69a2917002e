"""Entry point main: the whole workflow, each step a child run, got or run."""

from contextlib import ExitStack
from typing import Any

import click
import mlflow
import pandas as pd

from common import champion as registry
from common.learners import get_learner
from common.search.conf import load_grid, load_space
from common.search.engine import check_engine
from common.search.grid import grid_candidates
from common.search.space import make_space
from common.vectorizer import ENCODINGS
from common.workflow import StartedStep, StepRun, get_or_run, get_or_start
from steps.step import (
    OPEN_UNIT,
    PROFILES,
    breeding_options,
    origin_options,
    search_options,
    start_run,
    step_command,
)


@step_command("main")
@origin_options
@click.option("--profile", default="full", type=click.Choice(PROFILES), help="How much of eda's profile.")
@click.option(
    "--profile-rows", default=100_000, type=click.IntRange(1), help="Rows profiled at the most."
)
@click.option("--strata", default="auto", help="Columns whose proportions the split keeps.")
@click.option("--train-ratio", default=0.7, type=OPEN_UNIT, help="Share that goes to train.")
@click.option("--encoding", default="onehot", type=click.Choice(ENCODINGS), help="Of categories.")
@search_options
@click.option("--grid", default="auto", help="Of train_grid; auto: the learner's.")
@click.option("--space", default="auto", help="Of train_ga; auto: the learner's.")
@breeding_options(least=0)
@click.option("--seed", default=42, type=int, help="Of split, folds, draws and learner.")
@click.option("--name", default="income", help="Of the registered model.")
@click.option("--use-cache", default=True, type=bool, help="Reuse steps that ran before.")
def main(
    dataset: str,
    source: str,
    profile: str,
    profile_rows: int,
    strata: str,
    train_ratio: float,
    encoding: str,
    learner: str,
    grid: str,
    space: str,
    folds: int,
    metric: str,
    engine: str,
    parallelism: int,
    generations: int,
    population: int,
    patience: int,
    seed: int,
    name: str,
    use_cache: bool,
) -> None:
    """Load, explore, split, featurize, search, and let the winner challenge the champion."""
    registry.check_name(name)
    chosen = get_learner(learner)
    values, ranges = load_grid(grid, chosen), load_space(space, chosen)
    grid_candidates(values, chosen)
    make_space(ranges, chosen)
    check_engine(chosen, engine, [*values, *ranges])
    with start_run("main") as active, ExitStack() as background:
        done: list[StepRun] = []
        experiment = active.info.experiment_id
        origin = {"dataset": dataset, "source": source}

        def run(step: str, reusable: bool = True, **parameters: object) -> StepRun:
            done.append(get_or_run(step, {**origin, **parameters}, use_cache and reusable, experiment))
            return done[-1]

        def start(step: str, **parameters: object) -> StartedStep:
            started = get_or_start(step, {**origin, **parameters}, use_cache, experiment)
            background.callback(started.cancel)
            return started

        loaded = run("load_data").uri("data")
        eda = start("eda", data=loaded, profile=profile, profile_rows=profile_rows)
        split = run("split", data=loaded, strata=strata, train_ratio=train_ratio, seed=seed).uri()
        features = run("featurize", split=split, encoding=encoding, seed=seed).uri()
        done.append(eda.wait())
        shared: dict[str, Any] = {
            "features": features,
            "learner": learner,
            "folds": folds,
            "metric": metric,
            "engine": engine,
            "parallelism": parallelism,
            "seed": seed,
        }
        bred: list[StartedStep] = []
        if generations > 0:
            length: dict[str, Any] = {
                "generations": generations,
                "population": population,
                "patience": patience,
            }
            bred = [start("train_ga", **shared, **length, space=space)]
        searches = [run("train_grid", **shared, grid=grid).uri()]
        for search in bred:
            done.append(search.wait())
            searches.append(done[-1].uri())
        has_champion = registry.present_champion(name) is not None
        run("champion", reusable=has_champion, candidates=",".join(searches), name=name)
        _report(done, name)


def _report(done: list[StepRun], name: str) -> None:
    steps = pd.DataFrame(
        [(s.step, s.run_id, "reused" if s.reused else "new", f"{s.seconds:.1f}") for s in done],
        columns=["step", "run", "state", "seconds"],
    )
    click.echo(f"\n{steps.to_string(index=False)}")
    champion = registry.present_champion(name)
    if champion is not None:
        scores = registry.test_scores(champion)
        mlflow.log_metrics({f"champion_test_{key}": value for key, value in scores.items()})
        shown = ", ".join(f"{key} {scores[key]:.4f}" for key in ("f1", "accuracy", "roc_auc"))
        click.echo(f"\nchampion: models:/{name}@champion, version {champion.version}; test {shown}")
    store = mlflow.get_tracking_uri()
    at_hand = store.startswith("http")
    click.echo(f"look at it: {store if at_hand else f'mlflow ui --backend-store-uri {store}'}")


if __name__ == "__main__":
    main()
