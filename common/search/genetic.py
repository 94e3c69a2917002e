"""Genetic search: Optuna's NSGA-II sampler breeds generations of candidates from the best so far."""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import optuna
import pandas as pd
from optuna.samplers import NSGAIISampler, nsgaii
from optuna.study import StudyDirection

from common.learning.metrics import sign
from common.learning.parameters import Parameters
from common.search.breeding import CROSSOVERS, MUTATIONS, Breeding
from common.search.result import CandidateResult, Outcome, candidate_name, ranked
from common.search.search import Field
from common.search.space import Space, diversity, is_within

NOTHING = float("nan")
COLUMNS = [
    "generation",
    "best",
    "mean",
    "worst",
    "best_so_far",
    "diversity",
    "candidates",
    "fitted",
    "fits_saved",
]
# The score of a failed candidate, so that it is not selected as a parent.
WORST = {1: float("-inf"), -1: float("inf")}


@dataclass(frozen=True)
class Generation:
    """Candidates that were bred together.

    Attributes:
        number: Number of the generation, from 0.
        drawn: All its candidates, in order, possibly with duplicates.
        new: The distinct candidates that no earlier generation had.
    """

    number: int
    drawn: Sequence[Parameters]
    new: Sequence[Parameters]


class GeneticSearch:
    """A proposer of generations; the same seed and the same scores give the same generations.

    Attributes:
        generations: For each candidate's name, the generations that drew it, one entry per draw.
    """

    def __init__(
        self,
        space: Space,
        metric: str,
        breeding: Breeding,
        seed: int,
        first: Sequence[Parameters] = (),
    ) -> None:
        """Start a search.

        Args:
            space: The search space.
            metric: The metric to optimise, in the direction in which it is better.
            breeding: The settings of the search.
            seed: Seed of all random draws.
            first: Candidates that start the first generation; those outside the space are ignored.
        """
        self.space, self.metric, self.breeding = space, metric, breeding
        self.names, self.most = list(space), breeding.generations * breeding.population
        mutation = MUTATIONS[breeding.mutation]
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = NSGAIISampler(
                population_size=breeding.population,
                crossover=getattr(nsgaii, CROSSOVERS[breeding.crossover])(),
                crossover_prob=breeding.crossover_prob,
                mutation=getattr(nsgaii, mutation)() if mutation else None,
                mutation_prob=breeding.mutation_prob,
                seed=seed,
            )
        direction = StudyDirection.MAXIMIZE if sign(metric) > 0 else StudyDirection.MINIMIZE
        self.study = optuna.create_study(direction=direction, sampler=sampler)
        within = [dict(candidate) for candidate in first if is_within(candidate, space)]
        for candidate in within[: breeding.population]:
            self.study.enqueue_trial(candidate)
        self.trials: list[optuna.Trial] = []
        self.known: dict[str, Outcome] = {}
        self.rows: list[dict[str, float]] = []
        self.generations: dict[str, list[int]] = {}
        self.since_better = 0

    def batches(self, search: Field) -> Iterator[None]:
        """Have one generation after another scored."""
        while self.goes_on():
            generation = self.ask()
            with search.generation(f"generation {generation.number}") as metrics:
                metrics |= self.tell(generation, search.evaluate(generation.new))
            yield

    def goes_on(self) -> bool:
        """Return whether there will be another generation."""
        within = len(self.rows) < self.breeding.generations
        return within and self.since_better < self.breeding.patience

    def ask(self) -> Generation:
        """Return the next generation; `tell` must get its outcomes before `ask` is called again."""
        self.trials = [self.study.ask(self.space) for _ in range(self.breeding.population)]
        drawn = [dict(trial.params) for trial in self.trials]
        for candidate in drawn:
            self.generations.setdefault(candidate_name(candidate), []).append(len(self.rows))
        by_name = {candidate_name(candidate): candidate for candidate in drawn}
        new = [candidate for name, candidate in by_name.items() if name not in self.known]
        return Generation(len(self.rows), drawn, new)

    def tell(self, generation: Generation, outcomes: Mapping[str, Outcome]) -> dict[str, float]:
        """Record the outcomes of a generation's new candidates.

        Args:
            generation: The last result of `ask`.
            outcomes: Outcomes of its new candidates, by candidate name.

        Returns:
            The generation's row of the table.
        """
        self.known |= outcomes
        for trial, candidate in zip(self.trials, generation.drawn, strict=True):
            name = candidate_name(candidate)
            self.study.tell(trial, self._value(self.known[name]))
        self._count(generation)
        return self.rows[-1]

    def _value(self, outcome: Outcome) -> float:
        if isinstance(outcome, CandidateResult):
            return outcome.mean(self.metric)
        return WORST[sign(self.metric)]

    def _count(self, generation: Generation) -> None:
        outcomes = [self.known[candidate_name(candidate)] for candidate in generation.drawn]
        values, known = self._values(outcomes), self._values(self.known.values())
        best = known[0] if known else NOTHING
        before = self.rows[-1]["best_so_far"] if self.rows else NOTHING
        better = bool(known) and (math.isnan(before) or sign(self.metric) * (best - before) > 0)
        self.since_better = 0 if better else self.since_better + 1
        self.rows.append(
            {
                "generation": generation.number,
                "best": values[0] if values else NOTHING,
                "mean": fmean(values) if values else NOTHING,
                "worst": values[-1] if values else NOTHING,
                "best_so_far": best,
                "diversity": diversity(generation.drawn, self.space),
                "candidates": len(generation.drawn),
                "fitted": len(generation.new),
                "fits_saved": len(generation.drawn) - len(generation.new),
            }
        )

    def _values(self, outcomes: Iterable[Outcome]) -> list[float]:
        results = [outcome for outcome in outcomes if isinstance(outcome, CandidateResult)]
        return [result.mean(self.metric) for result in ranked(results, self.metric)]

    def table(self) -> pd.DataFrame:
        """Return one row per generation: its scores, its diversity and the number of fits saved.

        A generation in which the search's time ended has none.
        """
        return pd.DataFrame(self.rows, columns=COLUMNS)
