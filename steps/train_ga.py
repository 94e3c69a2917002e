"""Entry point train_ga: leaves what train_grid does, and generations.csv."""

import math

import click

from common.learning.learners import get_learner
from common.search.engines.choice import check_engine
from common.search.genetic import CROSSOVERS, MUTATIONS, Breeding, GeneticSearch
from common.search.space import make_space
from common.store.candidate_runs import best_of_search
from common.store.conf import load_space
from steps.search import Settings, leave_winner, open_search, search_data
from steps.step import breeding_options, origin_options, search_options, step, step_command


@step_command("train_ga")
@click.option("--features", default="auto", help="URI of features; auto: this workflow's featurize.")
@click.option(
    "--space",
    default="auto",
    help="A name under conf/spaces, a YAML file, or JSON; auto: the learner's.",
)
@search_options
@breeding_options(least=1)
@click.option("--crossover", default="blxalpha", type=click.Choice(list(CROSSOVERS)), help="Optuna's.")
@click.option(
    "--crossover-prob", default=0.9, type=click.FloatRange(0, 1), help="That a child has two parents."
)
@click.option(
    "--mutation",
    default="polynomial",
    type=click.Choice(list(MUTATIONS)),
    help="To a value nearby (polynomial), or anywhere (uniform).",
)
@click.option(
    "--mutation-prob",
    default=0.0,
    type=click.FloatRange(0, 1),
    help="That a parameter mutates; 0: one over their number.",
)
@click.option(
    "--warm-start",
    default="none",
    help="URI of a grid search whose best begin the first generation; auto: this workflow's.",
)
@click.option("--seed", default=42, type=int, help="Of the draws and the learner.")
@origin_options
def train_ga(
    features: str,
    space: str,
    learner: str,
    folds: int,
    metric: str,
    engine: str,
    parallelism: int,
    generations: int,
    population: int,
    patience: int,
    crossover: str,
    crossover_prob: float,
    mutation: str,
    mutation_prob: float,
    warm_start: str,
    seed: int,
    dataset: str,
    source: str,
) -> None:
    """Search a space by a genetic algorithm; runs nest search, generation, candidate."""
    chosen = get_learner(learner)
    ranges = make_space(load_space(space, chosen), chosen)
    check_engine(chosen, engine, ranges)
    breeding = Breeding(population, crossover, crossover_prob, mutation, mutation_prob or None)
    with step("train_ga") as run:
        data = search_data(run, folds)
        settings = Settings(chosen, engine, metric, seed, parallelism)
        first = best_of_search(run.parameters["warm_start"], math.ceil(population / 4), chosen)
        genetic = GeneticSearch(ranges, metric, breeding, seed, first)
        total = generations * population
        with open_search(run, settings, data.folds, list(ranges), total) as search:
            while genetic.goes_on(generations, patience):
                generation = genetic.ask()
                with search.generation(generation.number) as nested:
                    found = search.evaluate(generation.new, nested.run_id)
                    nested.metrics |= genetic.tell(generation, found)
            leave_winner(search, data, settings, genetic.generations)
        run.log_table("generations.csv", genetic.table())


if __name__ == "__main__":
    train_ga()
