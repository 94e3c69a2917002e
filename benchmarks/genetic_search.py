"""Comparison of our genetic search with random search, Optuna's TPE and sklearn-genetic-opt.

Random search and TPE get as many evaluations as ours; sklearn-genetic-opt gets the same population and
generations, with which it evaluates more candidates.

python -m benchmarks.genetic_search [--source FILE] [--generations 8] [--population 8] [--seeds 5]
"""

import random
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from statistics import median
from typing import Any

import click
import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from sklearn.model_selection import PredefinedSplit
from sklearn_genetic import GASearchCV
from sklearn_genetic.space import Categorical, Continuous, Integer
from xgboost import XGBClassifier

from common.learning.learners import get_learner
from common.learning.parameters import Parameters
from common.machine.spark import get_session
from common.search.breeding import Breeding
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.matrix import FoldMatrix
from common.search.folds import FoldData
from common.search.genetic import GeneticSearch
from common.search.grid import grid_candidates
from common.search.result import CandidateResult, candidate_name
from common.search.search import Search
from common.search.space import Space, make_space
from common.store.conf import load_grid, load_space

from .adult import SEED, adult_folds, source_option
from .report import report

# Result of a search: the best mean weighted F1, the number of evaluations, the time in seconds.
Found = tuple[float, int, float]


@click.command()
@source_option
@click.option("--generations", default=8, help="Generations of both genetic searches.")
@click.option("--population", default=8, help="Population of both; the others get as many evaluations.")
@click.option("--seeds", default=5, help="Runs of each search, one per seed.")
def genetic_search(source: str, generations: int, population: int, seeds: int) -> None:
    """Compare searches of the xgboost space, and the genetic search of gbt with its coarse grid."""
    with adult_folds(get_session(), source) as (_, data):
        found = _compare(data, generations, population, seeds)
        grid_best, halves = _half_the_grid(data, seeds)
    rows = [
        {
            "search": name,
            "median best weighted F1": round(median(best for best, _, _ in results), 5),
            "best weighted F1 by seed": " ".join(f"{best:.5f}" for best, _, _ in results),
            "evaluations": max(count for _, count, _ in results),
            "median s": round(median(seconds for _, _, seconds in results), 1),
        }
        for name, results in found.items()
    ]
    reached = sum(best >= grid_best for best, _, _ in halves)
    facts = {
        "coarse grid of gbt: best of 54": round(grid_best, 5),
        "genetic search of gbt: best by seed": [round(best, 5) for best, _, _ in halves],
        "its evaluations by seed, at most half the grid's": [count for _, count, _ in halves],
        "at or above the grid's best": f"{reached} of {seeds} seeds",
    }
    report("genetic_search", rows, facts)


def _compare(data: FoldData, generations: int, population: int, seeds: int) -> dict[str, list[Found]]:
    learner = get_learner("xgboost")
    space = make_space(load_space("xgboost", learner), learner)
    engine = BoostingEngine(data, learner, SEED)
    budget = generations * population
    # Random search needs no feedback, so it runs as a single batch; TPE learns from each evaluation.
    searches: dict[str, Callable[[int], Found]] = {
        "random": lambda seed: sampled(engine, space, RandomSampler(seed=seed), budget, budget),
        "TPE (Optuna)": lambda seed: sampled(engine, space, TPESampler(seed=seed), budget, 1),
        "ours": lambda seed: evolved(engine, space, generations, population, seed),
        "GASearchCV (sklearn-genetic-opt)": lambda seed: sklearn_genetic(
            engine.sent_matrix.value, space, generations, population, seed
        ),
    }
    found: dict[str, list[Found]] = {name: [] for name in searches}
    for seed, name in product(range(seeds), searches):
        found[name].append(searches[name](seed))
        best, evaluations, seconds = found[name][-1]
        click.echo(f"seed {seed}, {name}: {best:.5f}, {evaluations} evaluations, {seconds:.0f} s")
    return found


def _half_the_grid(data: FoldData, seeds: int) -> tuple[float, list[Found]]:
    """Return the coarse grid's best, and the genetic search's results with half as many evaluations."""
    learner = get_learner("gbt")
    engine = BoostingEngine(data, learner, SEED)
    grid = grid_candidates(load_grid("gbt_coarse", learner), learner)
    space = make_space(load_space("gbt", learner), learner)
    halves = [evolved(engine, space, 3, len(grid) // 6, seed) for seed in range(seeds)]
    return max(scores(engine, grid)), halves


def scores(engine: BoostingEngine, candidates: list[Parameters]) -> Iterator[float]:
    """Yield the mean weighted F1 of each candidate in the order of completion."""
    for outcome in engine.evaluate(candidates):
        assert isinstance(outcome, CandidateResult), outcome
        yield outcome.mean("f1_weighted")


def sampled(engine: BoostingEngine, space: Space, sampler: BaseSampler, budget: int, batch: int) -> Found:
    """Search with one of Optuna's samplers.

    Args:
        engine: The engine that scores candidates.
        space: The search space.
        sampler: The sampler.
        budget: Number of evaluations, a multiple of `batch`.
        batch: Number of candidates drawn before their scores are reported to the sampler.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    started = time.perf_counter()
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(budget // batch):
        trials = [study.ask(space) for _ in range(batch)]
        drawn = [trial.params for trial in trials]
        means = {
            o.name: o.mean("f1_weighted")
            for o in engine.evaluate(drawn)
            if isinstance(o, CandidateResult)
        }
        for trial, candidate in zip(trials, drawn, strict=True):
            study.tell(trial, means[candidate_name(candidate)])
    return study.best_value, budget, time.perf_counter() - started


def evolved(engine: BoostingEngine, space: Space, generations: int, population: int, seed: int) -> Found:
    """Search with our genetic search at train_ga's defaults, without early stopping."""
    started = time.perf_counter()
    breeding = Breeding(population, generations=generations, patience=generations)
    genetic, search = GeneticSearch(space, "f1_weighted", breeding, seed), Search(engine)
    search.run(genetic)
    best = float(genetic.table()["best_so_far"].iloc[-1])
    return best, len(search.outcomes), time.perf_counter() - started


def sklearn_genetic(
    matrix: FoldMatrix, space: Space, generations: int, population: int, seed: int
) -> Found:
    """Search with GASearchCV and XGBClassifier on the same matrix and folds, on all cores."""
    random.seed(seed)
    np.random.seed(seed)
    started = time.perf_counter()
    search = GASearchCV(
        estimator=XGBClassifier(tree_method="hist", n_jobs=1, random_state=SEED),
        cv=PredefinedSplit(matrix.fold),
        scoring="f1_weighted",
        param_grid={name: _sklearn_range(distribution) for name, distribution in space.items()},
        population_size=population,
        generations=generations - 1,
        n_jobs=-1,
        refit=False,
        verbose=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(matrix.features().csr(), matrix.label)
    evaluated = len(search.cv_results_["mean_test_score"])
    best = float(max(search.cv_results_["mean_test_score"]))
    return best, evaluated, time.perf_counter() - started


def _sklearn_range(distribution: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return Categorical(list(distribution.choices))
    if isinstance(distribution, IntDistribution):
        # sklearn-genetic-opt has no logarithmic integers.
        return Integer(distribution.low, distribution.high)
    spread = "log-uniform" if distribution.log else "uniform"
    return Continuous(distribution.low, distribution.high, distribution=spread)


if __name__ == "__main__":
    genetic_search()
