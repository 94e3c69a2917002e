"""Entry point train_grid: logs candidates, findings, next grid, plots/, and the winner as models."""

from common.learning.learners import get_learner
from common.learning.threshold import parse_threshold
from common.search.engines.choice import check_engine
from common.search.search import Settings
from common.store.grids import check_grid, grid_proposer
from common.store.searches import suited
from common.store.winners import run_search
from steps.command import step_command
from steps.progress import Progress
from steps.step import step


@step_command("train_grid")
def train_grid(
    learner: str,
    grid: str,
    folds: int,
    metric: str,
    threshold: str,
    balance: bool,
    engine: str,
    parallelism: int,
    seed: int,
    minutes: float,
    refit: str,
) -> None:
    """Score every candidate of a grid by cross-validation; track each as a nested run."""
    check_grid(learner, grid, engine)
    fixed = parse_threshold(threshold)
    with step("train_grid") as run:
        chosen = get_learner(run.parameters["learner"])
        asked = Settings(chosen, engine, metric, folds, seed, parallelism, fixed, balance, minutes, refit)
        settings = suited(asked, run)
        proposer = grid_proposer(grid, settings.learner, settings.metric, run.tell)
        check_engine(settings.learner, engine, proposer.names)
        run_search(run, settings, proposer, Progress)


if __name__ == "__main__":
    train_grid()
