"""The engine of a race: each learner's candidates are scored by the engine that suits the learner."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from common.errors import UserError
from common.learning.learners import LEARNER, Learner, race
from common.learning.parameters import Parameters
from common.search.engines.choice import Choice, Engine, choose_engine, make_engine
from common.search.folds import FoldData
from common.search.result import CandidateFailure, Outcome


class RaceEngine:
    """Scores candidates that name their learner.

    An engine is started with the first candidate that needs it. Learners that have the same engine share
    it, so that the boosting engine collects the rows once.

    Attributes:
        choice: The engines, and for which learners each was selected.
    """

    name = "race"

    def __init__(
        self,
        learner: Learner,
        engine: str,
        names: Sequence[str],
        data: FoldData,
        seed: int,
        parallelism: int,
    ) -> None:
        """Select the engine of each learner; one that none suits fails candidate by candidate.

        Args:
            learner: The race.
            engine: `auto` or an engine's name.
            names: Names of the parameters that the candidates set.
            data: The training rows in folds.
            seed: Seed of the learners.
            parallelism: Number of concurrent fits; 0 for enough to use all cores.
        """
        self.choices: dict[str, Choice] = {}
        self.unsuited: dict[str, str] = {}
        for one in learner.entrants:
            own = [name for name in names if name in one.parameters]
            try:
                self.choices[one.name] = choose_engine(one, engine, own, data, parallelism)
            except UserError as error:
                self.unsuited[one.name] = str(error)
        self.choice = _joint(self.choices)

        @cache
        def engine_of(name: str) -> Engine:
            sharing = [one for one in learner.entrants if self._engine_name(one.name) == name]
            # Of one engine for the same rows, all have the same number of fits at once.
            return make_engine(self.choices[sharing[0].name], data, race(sharing), seed)

        self.engine_of = engine_of

    def evaluate(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        """Yield each candidate's outcome as soon as its last fold is scored."""
        groups: dict[str, list[Parameters]] = {}
        for candidate in candidates:
            groups.setdefault(self._engine_name(candidate[LEARNER]), []).append(candidate)
        for candidate in groups.pop("", []):
            yield CandidateFailure(candidate, self.unsuited[candidate[LEARNER]])
        for name, group in groups.items():
            yield from self.engine_of(name).evaluate(group)

    def of_learner(self, learner: str) -> Engine:
        """Return the engine that scores a learner's candidates."""
        return self.engine_of(self._engine_name(learner))

    def _engine_name(self, learner: str) -> str:
        return self.choices[learner].engine if learner in self.choices else ""


def _joint(choices: Mapping[str, Choice]) -> Choice:
    """Return one choice that names all engines, each with its learners and its reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for learner, choice in choices.items():
        # "the only one for learner 'x'" says the learner already.
        reason = choice.reason.partition(" for learner ")[0]
        reasons.setdefault((choice.engine, reason), []).append(learner)
    said = [f"{engine} for {', '.join(names)} ({reason})" for (engine, reason), names in reasons.items()]
    return Choice(", ".join(dict.fromkeys(engine for engine, _ in reasons)), "; ".join(said))
