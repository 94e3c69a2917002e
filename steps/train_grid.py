"""Entry point train_grid: leaves candidates.csv, best_parameters.json and spark-model/."""

import click

from common.learners import choose_engine, get_learner
from common.metrics import METRICS
from common.search import mllib
from common.search.folds import fold_data
from common.search.grid import grid_candidates, load_grid
from steps.search import leave_winner, log_search_data, track
from steps.step import origin_options, step, step_command


@step_command("train_grid")
@click.option("--features", default="auto", help="URI of features; auto: this workflow's featurize.")
@click.option("--learner", default="gbt", help="What learns.")
@click.option(
    "--grid",
    default="auto",
    help="A name under conf/grids, a YAML file, or JSON; auto: the learner's.",
)
@click.option("--folds", default=5, type=click.IntRange(2), help="Of the cross-validation.")
@click.option("--metric", default="f1", type=click.Choice(METRICS), help="That chooses the best.")
@click.option("--engine", default="auto", help="What fits; auto: the learner's fastest.")
@click.option("--seed", default=42, type=int, help="Of the learner.")
@click.option(
    "--parallelism", default=0, type=click.IntRange(0), help="Fits at once; 0: to fill all cores."
)
@origin_options
def train_grid(
    features: str,
    learner: str,
    grid: str,
    folds: int,
    metric: str,
    engine: str,
    seed: int,
    parallelism: int,
    dataset: str,
    source: str,
) -> None:
    """Score every candidate of a grid by cross-validation; each is a nested run."""
    chosen = get_learner(learner)
    chosen_engine = choose_engine(chosen, engine)
    candidates = grid_candidates(load_grid(grid, chosen), chosen)
    with step("train_grid") as run:
        spec = run.dataset("features")
        train, test = run.frame("features", "train"), run.frame("features", "test")
        log_search_data(run, spec, train, test)
        run.tag(learner=chosen.name, engine=chosen_engine)
        data = fold_data(train, folds)
        constants = {"learner": chosen.name, "engine": chosen_engine, "folds": folds}
        found = mllib.evaluate(candidates, data, chosen, seed, parallelism)
        tracked = track(run, found, len(candidates), metric, constants)
        leave_winner(run, spec, chosen, tracked, data, test, metric, seed)


if __name__ == "__main__":
    train_grid()
