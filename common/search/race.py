"""A race of learners: all try a first candidate, and those that keep up share the rest of the search."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from common.errors import UserError
from common.learning.learners import LEARNER, LEARNERS, RACE, Learner
from common.learning.metrics import shown_score, sign
from common.learning.parameters import Parameters
from common.search.findings.candidates import difference
from common.search.grid import GridSearch
from common.search.result import CandidateResult, Outcome, candidate_name, ranked
from common.search.search import Field, Proposer


def silent(_: str) -> None:
    """Tell nobody."""


# Share of a search's time that learners get for their first candidates; who is slower does not start.
START = 0.5


@dataclass(frozen=True)
class Entrant:
    """A learner in a race.

    Attributes:
        learner: The learner's name.
        first: The candidate that it starts with, without its learner.
        proposer: Proposes its other candidates.
    """

    learner: str
    first: Parameters
    proposer: Proposer


class Race:
    """A proposer that has several learners race; its candidates name their learner.

    Each learner first tries one candidate. Then the learners propose in turn, the best one first. One
    whose best candidate is clearly worse than the best of all is left behind, before each turn.

    Attributes:
        generations: As of any proposer; numbers of generations are those of the candidate's learner.
    """

    def __init__(
        self,
        entrants: Sequence[Entrant],
        metric: str,
        most: int,
        tell: Callable[[str], None] = silent,
    ) -> None:
        """Start a race.

        Args:
            entrants: The learners, in the order in which they start.
            metric: The metric that ranks candidates.
            most: The largest number of candidates after the first ones.
            tell: Receives a line about who goes on.
        """
        self.entrants, self.metric, self.tell = entrants, metric, tell
        self.most = most + len(entrants)
        names = (name for entrant in entrants for name in entrant.proposer.names)
        self.names = [LEARNER, *dict.fromkeys(names)]
        self.lanes: dict[str, _Lane] = {}

    def batches(self, search: Field) -> Iterator[None]:
        """Have the first candidates scored, then those of the learners that keep up."""
        self.lanes = {entrant.learner: _Lane(search, entrant.learner) for entrant in self.entrants}
        racing = {entrant.learner: entrant.proposer for entrant in self.entrants}
        for entrant in self.entrants:
            if search.spent() > START:
                self.tell(f"no time for {entrant.learner}: give more minutes for it to race too")
                del racing[entrant.learner]
                continue
            self.lanes[entrant.learner].evaluate([entrant.first])
            yield
        left = {learner: proposer.batches(self.lanes[learner]) for learner, proposer in racing.items()}
        while left := self._keeping_up(left):
            for learner, batches in list(left.items()):
                if self._is_over():
                    return
                if next(batches, self) is self:
                    del left[learner]
                yield

    def _is_over(self) -> bool:
        scored = sum(len(lane.outcomes) for lane in self.lanes.values())
        # A generation draws its learner's first candidate and others again, which are scored once: by
        # those scored alone the last generation went beyond the number that is told.
        drawn = sum(len(numbers) for numbers in self.generations.values())
        return scored >= self.most or drawn >= self.most - len(self.entrants)

    def _keeping_up(self, racing: Mapping[str, Iterator[None]]) -> dict[str, Iterator[None]]:
        """Return those whose best candidate is not clearly worse than the best of all, best first."""
        best = {learner: lane.best(self.metric) for learner, lane in self.lanes.items()}
        scored = [result for result in best.values() if result is not None]
        if not scored:
            return {}
        leader = ranked(scored, self.metric)[0]
        kept = [name for name in racing if not _is_behind(best[name], leader, self.metric)]
        order = sorted(kept, key=lambda name: -sign(self.metric) * _mean(best[name], self.metric))
        for name in [name for name in racing if name not in kept]:
            self.tell(f"{name} is left behind: {self._said(best[name], leader)}")
        return {name: racing[name] for name in order}

    def _said(self, result: CandidateResult | None, leader: CandidateResult) -> str:
        if result is None:
            # Others are not tried then.
            return "its first candidate could not be fitted"
        own, ahead = (shown_score(self.metric, one.mean(self.metric)) for one in (result, leader))
        return f"{self.metric} {own}, and the best has {ahead}"

    @property
    def generations(self) -> Mapping[str, Sequence[int]]:
        """For each candidate's name, the generations of its learner that drew it."""
        return {
            candidate_name({LEARNER: entrant.learner, **lane.candidates[name]}): drawn
            for entrant in self.entrants
            for lane in [self.lanes[entrant.learner]]
            for name, drawn in entrant.proposer.generations.items()
            if name in lane.candidates
        }

    def table(self) -> pd.DataFrame | None:
        """Return one row per learner and generation; None if there are no generations."""
        tables = [(entrant.learner, entrant.proposer.table()) for entrant in self.entrants]
        found = [table.assign(**{LEARNER: learner}) for learner, table in tables if table is not None]
        if not found:
            return None
        # Where time ended in the first generation all are empty, and have columns.
        return pd.concat([one for one in found if not one.empty] or found[:1], ignore_index=True)


def grid_race(
    grids: Mapping[str, Any], learner: Learner, metric: str, tell: Callable[[str], None] = silent
) -> Race:
    """Have learners race over a grid each; the first candidate of its grid is what a learner starts with.

    Args:
        grids: A grid, or a list of grids, by learner; learners that do not race are ignored.
        learner: The race.
        metric: The metric that ranks candidates.
        tell: Receives a line about who goes on.

    Raises:
        UserError: A grid is invalid, or no learner that races has one.
    """
    entrants = []
    for one in racing_of(grids, learner, "grid"):
        search = GridSearch(grids[one.name], one)
        entrants.append(Entrant(one.name, search.candidates[0], search))
    # The first candidate of each is one of its grid's.
    return Race(entrants, metric, sum(one.proposer.most - 1 for one in entrants), tell)


def racing_of(given: Mapping[str, Any], learner: Learner, what: str) -> list[Learner]:
    """Return the learners that race and are given something, in the order in which it is given."""
    if unknown := [name for name in given if name not in LEARNERS]:
        raise UserError(
            f"{what} of learner={RACE} must map learners to {what}s, got {unknown[0]!r}: learners are "
            f"{', '.join(LEARNERS)}"
        )
    by_name = {one.name: one for one in learner.entrants}
    if racing := [by_name[name] for name in given if name in by_name]:
        return racing
    raise UserError(f"{what} of learner={RACE} has none of {', '.join(by_name)}: add one of them")


class _Lane:
    """A search as one learner of a race sees it: its candidates do not name their learner."""

    def __init__(self, search: Field, learner: str) -> None:
        self.search, self.learner = search, learner
        self.outcomes: dict[str, Outcome] = {}
        self.candidates: dict[str, Parameters] = {}

    def evaluate(self, candidates: Sequence[Parameters]) -> dict[str, Outcome]:
        self.candidates |= {candidate_name(candidate): candidate for candidate in candidates}
        named = [{LEARNER: self.learner, **candidate} for candidate in candidates]
        outcomes = self.search.evaluate(named)
        found = {
            candidate_name(candidate): replace(outcomes[candidate_name(whole)], parameters=candidate)
            for candidate, whole in zip(candidates, named, strict=True)
        }
        self.outcomes |= found
        return found

    def generation(self, name: str) -> AbstractContextManager[dict[str, float]]:
        return self.search.generation(f"{self.learner} {name}")

    def spent(self) -> float:
        return self.search.spent()

    def best(self, metric: str) -> CandidateResult | None:
        results = [one for one in self.outcomes.values() if isinstance(one, CandidateResult)]
        return ranked(results, metric)[0] if results else None


def _mean(result: CandidateResult | None, metric: str) -> float:
    assert result is not None, "one without scores does not keep up"
    return result.mean(metric)


def _is_behind(result: CandidateResult | None, leader: CandidateResult, metric: str) -> bool:
    if result is None:
        return True
    theirs, own = (np.array([fold[metric] for fold in one.folds]) for one in (leader, result))
    lead = difference(sign(metric) * (theirs - own), float(np.abs([theirs, own]).max()))
    return lead.mean > 0 and lead.clear
