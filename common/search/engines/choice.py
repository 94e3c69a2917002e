"""Selection of the engine that scores a search's candidates, with the reason."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.errors import UserError
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.memory import room_for
from common.search.engines.mllib import MllibEngine
from common.search.folds import FoldData
from common.search.result import Outcome

# Parameters that count rows, whatever their weights; the boosting engine can only add up weights.
COUNTED = ("minInstancesPerNode",)
ENGINES = {engine.name: engine for engine in (BoostingEngine, MllibEngine)}


class Engine(Protocol):
    """Scores candidates."""

    name: str

    def evaluate(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        """Yield each candidate's outcome as soon as its last fold is scored."""
        ...


@dataclass(frozen=True)
class Choice:
    """The selected engine.

    Attributes:
        engine: Its name.
        reason: Why, in words.
        parallelism: Number of concurrent fits; 0 for enough to use all cores.
    """

    engine: str
    reason: str
    parallelism: int = 0


def check_engine(learner: Learner, engine: str, names: Iterable[str]) -> None:
    """Reject an engine that cannot score a learner's candidates.

    Args:
        learner: The learner to search.
        engine: `auto` or an engine's name.
        names: Names of the parameters that the candidates set.

    Raises:
        UserError: The engine does not support the learner, or one of the parameters.
    """
    if engine != "auto" and engine not in learner.engines:
        allowed = ", ".join(["auto", *learner.engines])
        raise UserError(f"engine of learner {learner.name!r} must be one of {allowed}, got {engine!r}")
    foreign = sorted(set(names) & set(learner.mllib_only))
    if engine == BoostingEngine.name and foreign:
        raise UserError(f"engine 'boosting' does not support {', '.join(foreign)}: give engine=mllib")


def choose_engine(
    learner: Learner, engine: str, names: Iterable[str], data: FoldData, parallelism: int = 0
) -> Choice:
    """Select the engine; `auto` is boosting if it supports the parameters and the rows fit in memory.

    Where memory is short, fewer fits run at once.

    Args:
        learner: The learner to search.
        engine: `auto` or an engine's name, checked by `check_engine`.
        names: Names of the parameters that the candidates set.
        data: The training rows in folds.
        parallelism: Number of concurrent fits that was asked for; 0 for enough to use all cores.

    Raises:
        UserError: Boosting is requested, or is the only engine, and the rows do not fit in memory.
    """
    if engine == MllibEngine.name:
        return Choice(engine, "requested", parallelism)
    if BoostingEngine.name not in learner.engines:
        return Choice(learner.engines[0], f"the only one for learner {learner.name!r}", parallelism)
    foreign = sorted(set(names) & {*learner.mllib_only, *(COUNTED if data.is_weighted else ())})
    if engine == "auto" and foreign:
        return Choice(
            "mllib", f"boosting does not support {', '.join(foreign)}{_weighted(data)}", parallelism
        )
    if engine == BoostingEngine.name and foreign:
        raise UserError(
            f"engine 'boosting' does not support {', '.join(foreign)}{_weighted(data)}: give engine=mllib"
        )
    room = room_for(data, parallelism)
    if room.at_once is not None:
        return Choice("boosting", room.reason, room.at_once)
    if engine == "auto" and MllibEngine.name in learner.engines:
        return Choice("mllib", room.reason, parallelism)
    way = "give engine=mllib" if MllibEngine.name in learner.engines else "give another learner"
    raise UserError(
        f"engine 'boosting' of learner {learner.name!r} lacks memory: {room.reason}: {way}, or raise "
        "the limit"
    )


def _weighted(data: FoldData) -> str:
    return " of rows with weights" if data.is_weighted else ""


def make_engine(choice: Choice, data: FoldData, learner: Learner, seed: int) -> Engine:
    """Create the selected engine for a search."""
    return ENGINES[choice.engine](data, learner, seed, choice.parallelism)
