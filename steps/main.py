"""Entry point main: the whole workflow, each step a child run, got or run."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import click
import mlflow
import pandas as pd

from common.champion.verdict import parse_margin
from common.learning.learners import Learner, get_learner
from common.learning.metrics import told
from common.learning.vectorizer import ENCODINGS
from common.search.engines.choice import check_engine
from common.search.grid import adds_candidates, grid_candidates
from common.search.space import make_space
from common.store import registry, tracking
from common.store.conf import load_gates, load_grid, load_space
from common.store.get_or_run import StartedStep, StepRun, get_or_run, get_or_start
from common.store.workflow_runs import STEPS, workflow_of
from steps.report import leave_report
from steps.step import (
    OPEN_UNIT,
    PROFILES,
    breeding_options,
    origin_options,
    search_options,
    start_run,
    step_command,
    ui_command,
    verdict_options,
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
@click.option(
    "--rounds",
    default=1,
    type=click.IntRange(1),
    help="Of train_grid: each after the first tries the next grid of the one before.",
)
@click.option("--space", default="auto", help="Of train_ga; auto: the learner's.")
@breeding_options(least=0)
@click.option("--seed", default=42, type=int, help="Of split, folds, draws and learner.")
@click.option("--name", default="income", help="Of the registered model.")
@verdict_options
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
    rounds: int,
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
    margin: str,
    gates: str,
    use_cache: bool,
) -> None:
    """Load, explore, split, featurize, search, and let the winner challenge the champion."""
    registry.check_name(name)
    parse_margin(margin)
    load_gates(gates)
    chosen = get_learner(learner)
    values, ranges = load_grid(grid, chosen), load_space(space, chosen)
    grid_candidates(values, chosen)
    make_space(ranges, chosen)
    check_engine(chosen, engine, [*values, *ranges])
    with start_run("main") as active, ExitStack() as background:
        origin = {"dataset": dataset, "source": source}
        steps = Steps(active.info.experiment_id, origin, use_cache, background)
        loaded = steps.run("load_data").uri("data")
        eda = steps.start("eda", data=loaded, profile=profile, profile_rows=profile_rows)
        split = steps.run("split", data=loaded, strata=strata, train_ratio=train_ratio, seed=seed).uri()
        features = steps.run("featurize", split=split, encoding=encoding, seed=seed).uri()
        shared: dict[str, Any] = {
            "features": features,
            "learner": learner,
            "folds": folds,
            "metric": metric,
            "engine": engine,
            "parallelism": parallelism,
            "seed": seed,
        }
        searches = _grid_searches(
            lambda grid: steps.run("train_grid", **shared, grid=grid), grid, rounds, chosen
        )
        steps.wait(eda)
        if generations:
            bred = steps.run(
                "train_ga",
                **shared,
                space=space,
                generations=generations,
                population=population,
                patience=patience,
            )
            searches.append(bred.uri())
        has_champion = registry.present_champion(name) is not None
        steps.run(
            "champion",
            reusable=has_champion,
            candidates=",".join(searches),
            name=name,
            margin=margin,
            gates=gates,
        )
        mlflow.set_tags(tracking.list_tags(STEPS, dict.fromkeys(done.run_id for done in steps.done)))
        _tell(steps.done, name)
        page = leave_report(workflow_of(mlflow.get_run(active.info.run_id)))
        click.echo(f"read of it: {page}")


class Steps:
    """The steps of a workflow, and those that are done."""

    def __init__(
        self, experiment_id: str, origin: Mapping[str, object], use_cache: bool, background: ExitStack
    ) -> None:
        self.experiment_id, self.origin, self.use_cache = experiment_id, origin, use_cache
        self.background = background
        self.done: list[StepRun] = []

    def run(self, step: str, reusable: bool = True, **parameters: object) -> StepRun:
        """Get a step's run, or run it and wait for it."""
        cached = self.use_cache and reusable
        self.done.append(get_or_run(step, {**self.origin, **parameters}, cached, self.experiment_id))
        return self.done[-1]

    def start(self, step: str, **parameters: object) -> StartedStep:
        """Get a step's run, or start it; it is cancelled if the workflow fails meanwhile."""
        given = {**self.origin, **parameters}
        started = get_or_start(step, given, self.use_cache, self.experiment_id)
        self.background.callback(started.cancel)
        return started

    def wait(self, started: StartedStep) -> StepRun:
        """Wait for a step that was started."""
        self.done.append(started.wait())
        return self.done[-1]


def _grid_searches(
    search: Callable[[str], StepRun], grid: str, rounds: int, learner: Learner
) -> list[str]:
    """Search a grid, then what each search says to try next; return the searches' URIs."""
    searches = [search(grid)]
    for _ in range(1, rounds):
        following = searches[-1].uri("next_grid.yaml")
        if not adds_candidates(load_grid(following, learner), load_grid(grid, learner), learner):
            click.echo(f"no further round: {following} has nothing that was not tried")
            break
        searches.append(search(following))
        grid = following
    return [done.uri() for done in searches]


def _tell(done: list[StepRun], name: str) -> None:
    steps = pd.DataFrame(
        [(s.step, s.run_id, "reused" if s.reused else "new", f"{s.seconds:.1f}") for s in done],
        columns=["step", "run", "state", "seconds"],
    )
    click.echo(f"\n{steps.to_string(index=False)}")
    champion = registry.present_champion(name)
    if champion is not None:
        scores = registry.test_scores(champion)
        mlflow.log_metrics({f"champion_test_{key}": value for key, value in scores.items()})
        guess = registry.guessed_scores(champion)
        known = [key for key in ("roc_auc", "f1", "accuracy") if key in scores and key in guess]
        shown = ", ".join(told(key, scores, guess) for key in known)
        click.echo(f"\nchampion: models:/{name}@champion, version {champion.version}; test {shown}")
    click.echo(f"look at it: {ui_command()}")


if __name__ == "__main__":
    main()
