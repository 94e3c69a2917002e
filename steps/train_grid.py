"""Entry point train_grid: logs candidates, findings, next grid, plots/, and the winner as models."""

from common.learning.learners import get_learner
from common.search.engines.choice import check_engine
from common.search.grid import GridSearch
from common.search.search import Settings
from common.store.conf import load_grid
from common.store.winners import run_search
from steps.command import step_command
from steps.progress import show_progress
from steps.step import step


@step_command("train_grid")
def train_grid(
    learner: str, grid: str, folds: int, metric: str, engine: str, parallelism: int, seed: int
) -> None:
    """Score every candidate of a grid by cross-validation; track each as a nested run."""
    chosen = get_learner(learner)
    proposer = GridSearch(load_grid(grid, chosen), chosen)
    check_engine(chosen, engine, proposer.names)
    with step("train_grid") as run:
        settings = Settings(chosen, engine, metric, folds, seed, parallelism)
        run_search(run, settings, proposer, show_progress)


if __name__ == "__main__":
    train_grid()
