"""Entry point train_grid: leaves candidates, findings, next grid, plots/, and the winner as models."""

import click

from common.learning.learners import get_learner
from common.search.engines.choice import check_engine
from common.search.grid import grid_candidates
from common.store.conf import load_grid
from steps.search import Settings, leave_winner, open_search, search_data
from steps.step import origin_options, search_options, step, step_command


@step_command("train_grid")
@click.option("--features", default="auto", help="URI of features; auto: this workflow's featurize.")
@click.option(
    "--grid",
    default="auto",
    help="A name under conf/grids, a YAML file, or JSON; auto: the learner's.",
)
@search_options
@click.option("--seed", default=42, type=int, help="Of the learner.")
@origin_options
def train_grid(
    features: str,
    grid: str,
    learner: str,
    folds: int,
    metric: str,
    engine: str,
    parallelism: int,
    seed: int,
    dataset: str,
    source: str,
) -> None:
    """Score every candidate of a grid by cross-validation; each is a nested run."""
    chosen = get_learner(learner)
    values = load_grid(grid, chosen)
    candidates = grid_candidates(values, chosen)
    check_engine(chosen, engine, values)
    with step("train_grid") as run:
        data = search_data(run, folds)
        settings = Settings(chosen, engine, metric, seed, parallelism)
        with open_search(run, settings, data.folds, list(values), len(candidates)) as search:
            search.evaluate(candidates)
            leave_winner(search, data, settings)


if __name__ == "__main__":
    train_grid()
