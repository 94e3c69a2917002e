"""A search: a proposer asks for candidates to be scored, an engine scores them, a recorder keeps them.

The hook between the first two is `Search.evaluate`, as scikit-learn's `BaseSearchCV._run_search` has it:
a proposer calls it as often as it likes, and goes on by what it returns.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from common.learning.learners import Learner, Parameters
from common.search.engines.choice import Engine
from common.search.result import CandidateResult, Outcome, candidate_name


@dataclass(frozen=True)
class Settings:
    """How candidates are scored.

    Attributes:
        learner: that is searched.
        engine: auto, or an engine's name.
        metric: one of METRICS, that ranks them.
        folds: of the cross-validation.
        seed: of the learner.
        parallelism: fits at once; 0: as many as fill all cores.
    """

    learner: Learner
    engine: str
    metric: str
    folds: int
    seed: int
    parallelism: int


class Recorder(Protocol):
    """Where the outcomes of a search are kept as they come."""

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome, in the generation that is open, if one is."""
        ...

    def generation(self, number: int) -> AbstractContextManager[dict[str, float]]:
        """Open a generation; give its metrics, to be filled before it is left."""
        ...


class Proposer(Protocol):
    """Says which candidates a search is to score.

    Attributes:
        names: hyperparameters that its candidates set.
        most: candidates at the most.
        generations: by a candidate's name the generations that drew it; empty: it knows none.
    """

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def most(self) -> int: ...  # noqa: D102

    @property
    def generations(self) -> Mapping[str, Sequence[int]]: ...  # noqa: D102

    def propose(self, search: "Search") -> None:
        """Have candidates scored by `search.evaluate` until there is nothing left to try."""
        ...

    def table(self) -> pd.DataFrame | None:
        """Return a row a generation, if there are any."""
        ...


class Search:
    """A search under way.

    Attributes:
        outcomes: all so far, by the candidate's name.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder | None = None,
        known: Mapping[str, Outcome] | None = None,
        show: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        """Start a search.

        Args:
            engine: that scores candidates.
            recorder: that keeps them; none: they are in `outcomes` alone.
            known: outcomes by candidate's name that need not be found again.
            show: is told each outcome.
        """
        self.engine, self.recorder, self.known, self.show = engine, recorder, known or {}, show
        self.outcomes: dict[str, Outcome] = {}

    def evaluate(self, candidates: Sequence[Parameters]) -> dict[str, Outcome]:
        """Score candidates, have each kept the moment it is scored, and return their outcomes by name."""
        found = {}
        for outcome in self._outcomes(candidates):
            if self.recorder is not None:
                self.recorder.add(outcome)
            self.show(outcome)
            found[outcome.name] = outcome
        self.outcomes |= found
        return found

    def generation(self, number: int) -> AbstractContextManager[dict[str, float]]:
        """Open a generation, to which what is evaluated in it belongs; give its metrics to be filled."""
        return nullcontext({}) if self.recorder is None else self.recorder.generation(number)

    @property
    def results(self) -> list[CandidateResult]:
        """The outcomes of candidates that did not fail."""
        return [outcome for outcome in self.outcomes.values() if isinstance(outcome, CandidateResult)]

    def _outcomes(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        names = [candidate_name(candidate) for candidate in candidates]
        yield from (self.known[name] for name in names if name in self.known)
        left = [c for name, c in zip(names, candidates, strict=True) if name not in self.known]
        if left:
            yield from self.engine.evaluate(left)
