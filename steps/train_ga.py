"""Entry point train_ga: logs what train_grid logs, and generations.csv."""

import math

from common.learning.learners import get_learner
from common.learning.threshold import parse_threshold
from common.search.breeding import Breeding
from common.search.engines.choice import check_engine
from common.search.search import Settings
from common.store.earlier_candidates import best_of_search
from common.store.searches import suited
from common.store.spaces import check_space, genetic_proposer
from common.store.winners import run_search
from steps.command import step_command
from steps.progress import Progress
from steps.step import step


@step_command("train_ga")
def train_ga(
    learner: str,
    space: str,
    folds: int,
    metric: str,
    threshold: str,
    balance: bool,
    engine: str,
    parallelism: int,
    generations: int,
    population: int,
    patience: int,
    crossover: str,
    crossover_prob: float,
    mutation: str,
    mutation_prob: float,
    seed: int,
    minutes: float,
    refit: str,
) -> None:
    """Search a space with a genetic algorithm; track each generation and candidate as a nested run."""
    check_space(learner, space, engine)
    fixed = parse_threshold(threshold)
    breeding = Breeding(
        *(population, crossover, crossover_prob, mutation, mutation_prob or None, generations, patience)
    )
    with step("train_ga") as run:
        chosen = get_learner(run.parameters["learner"])
        asked = Settings(chosen, engine, metric, folds, seed, parallelism, fixed, balance, minutes, refit)
        settings = suited(asked, run)
        first = best_of_search(run.parameters["warm_start"], math.ceil(population / 4), chosen)
        proposer = genetic_proposer(
            space, settings.learner, settings.metric, breeding, seed, first, run.tell
        )
        check_engine(settings.learner, engine, proposer.names)
        run_search(run, settings, proposer, Progress)


if __name__ == "__main__":
    train_ga()
