"""A search: a proposer chooses candidates, an engine scores them, and a recorder stores the outcomes.

The proposer calls `Search.evaluate`, as in scikit-learn's `BaseSearchCV._run_search`: it may call it any
number of times, and use the returned outcomes to choose further candidates.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from common.learning.fittings import REFIT_AUTO
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.search.engines.choice import Engine
from common.search.result import CandidateFailure, CandidateResult, Outcome, candidate_name


@dataclass(frozen=True)
class Settings:
    """Settings for scoring candidates.

    Attributes:
        learner: The learner to search.
        engine: `auto` or an engine's name.
        metric: The metric that ranks the candidates.
        folds: Number of cross-validation folds.
        seed: Seed of the learner.
        parallelism: Number of concurrent fits; 0 for enough to use all cores.
        threshold: The probability above which the positive label is predicted; None to choose it.
        balance: Whether labels weigh the same in total, however many rows each has.
        minutes: Time after which no further candidate is scored; 0 for no limit.
        refit: Who fits the winner on all rows: `auto` for an engine that scored it by Spark's rule,
            `mllib` for the learner's own estimator.
    """

    learner: Learner
    engine: str
    metric: str
    folds: int
    seed: int
    parallelism: int
    threshold: float | None = 0.5
    balance: bool = False
    minutes: float = 0
    refit: str = REFIT_AUTO


class Recorder(Protocol):
    """Storage for the outcomes of a search as they arrive."""

    def add(self, outcome: Outcome) -> None:
        """Store an outcome, in the open generation if there is one."""
        ...

    def generation(self, name: str) -> AbstractContextManager[dict[str, float]]:
        """Open a generation and return its metrics, to be filled in before the context exits."""
        ...


class Field(Protocol):
    """What a proposer sees of a search: it has candidates scored there."""

    def evaluate(self, candidates: Sequence[Parameters]) -> dict[str, Outcome]:
        """Score candidates and return their outcomes by name."""
        ...

    def generation(self, name: str) -> AbstractContextManager[dict[str, float]]:
        """Open a generation for the candidates evaluated in it; see `Recorder.generation`."""
        ...

    def spent(self) -> float:
        """Return the share of the search's time that is over; 0 if it has no limit."""
        ...


class Proposer(Protocol):
    """Chooses the candidates that a search scores.

    Attributes:
        names: Names of the hyperparameters that its candidates set.
        most: Maximum number of candidates.
        generations: For each candidate's name, the generations that drew it; empty if the proposer has
            no generations.
    """

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def most(self) -> int: ...  # noqa: D102

    @property
    def generations(self) -> Mapping[str, Sequence[int]]: ...  # noqa: D102

    def batches(self, search: Field) -> Iterator[None]:
        """Call `search.evaluate` with candidates until there is nothing left to try.

        Yields:
            After each call, so that the search can end, or another proposer have its turn.
        """
        ...

    def table(self) -> pd.DataFrame | None:
        """Return one row per generation; None if there are no generations."""
        ...


class TimeUp(Exception):
    """The time of a search is over."""


class Search:
    """A search in progress.

    Attributes:
        outcomes: All outcomes so far, by candidate name.
        is_over: Whether it ended because its time was over.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder | None = None,
        known: Mapping[str, Outcome] | None = None,
        show: Callable[[Outcome], None] = lambda _: None,
        minutes: float = 0,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        """Start a search.

        Args:
            engine: The engine that scores candidates.
            recorder: Storage for the outcomes; if None, they are only in `outcomes`.
            known: Outcomes that need not be computed again, by candidate name.
            show: Called with each outcome.
            minutes: Time after which no further candidate is scored; 0 for no limit.
            end: Called when the search has no more candidates, or its time is over.
        """
        self.engine, self.recorder, self.known = engine, recorder, known or {}
        self.show, self.end = show, end
        self.outcomes: dict[str, Outcome] = {}
        self.seconds, self.started, self.is_over = 60 * minutes, time.monotonic(), False

    def run(self, proposer: Proposer) -> None:
        """Have the candidates of a proposer scored, until it has no more or the time is over."""
        self.started = time.monotonic()
        try:
            for _ in proposer.batches(self):
                pass
        except TimeUp:
            self.is_over = True
        self.end()

    def evaluate(self, candidates: Sequence[Parameters]) -> dict[str, Outcome]:
        """Score candidates, store each outcome as soon as it is known, and return all by name.

        Raises:
            TimeUp: The time is over, and a candidate has scores. `outcomes` has all that were scored.
        """
        names = [candidate_name(candidate) for candidate in candidates]
        left = [c for name, c in zip(names, candidates, strict=True) if name not in self.outcomes]
        with closing(self._outcomes(left)) as arriving:
            for outcome in arriving:
                if self.recorder is not None:
                    self.recorder.add(outcome)
                self.show(outcome)
                self.outcomes[outcome.name] = outcome
                if self.spent() >= 1 and self.results:
                    raise TimeUp
        return {name: self.outcomes[name] for name in names}

    def spent(self) -> float:
        """Return the share of the search's time that is over; 0 if it has no limit."""
        return (time.monotonic() - self.started) / self.seconds if self.seconds else 0.0

    def generation(self, name: str) -> AbstractContextManager[dict[str, float]]:
        """Open a generation for the candidates evaluated in it; see `Recorder.generation`."""
        return nullcontext({}) if self.recorder is None else self.recorder.generation(name)

    @property
    def results(self) -> list[CandidateResult]:
        """The outcomes of candidates that did not fail."""
        return [outcome for outcome in self.outcomes.values() if isinstance(outcome, CandidateResult)]

    @property
    def failures(self) -> list[CandidateFailure]:
        """The outcomes of candidates that failed."""
        return [outcome for outcome in self.outcomes.values() if isinstance(outcome, CandidateFailure)]

    def _outcomes(self, candidates: Sequence[Parameters]) -> Generator[Outcome]:
        names = [candidate_name(candidate) for candidate in candidates]
        yield from (self.known[name] for name in names if name in self.known)
        left = [c for name, c in zip(names, candidates, strict=True) if name not in self.known]
        if left:
            yield from self.engine.evaluate(left)
