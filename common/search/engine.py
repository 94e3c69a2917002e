"""Which engine scores a search's candidates, and why."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyspark.sql import functions as F

from common.errors import UserError
from common.learners import Learner, Parameters
from common.search.boosting import BoostingEngine
from common.search.folds import FoldData
from common.search.mllib import MllibEngine
from common.search.result import Outcome
from common.vectorizer import FEATURES

# What the boosting engine holds for each value of a feature that is not zero, at its peak: the matrix
# as it was sent, a fold's rows of it and XGBoost's own form of them.
BYTES_PER_VALUE = 64
ENGINES = {engine.name: engine for engine in (BoostingEngine, MllibEngine)}


class Engine(Protocol):
    """Scores candidates."""

    name: str

    def evaluate(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        """Yield each candidate's outcome as soon as its last fold is scored."""
        ...


@dataclass(frozen=True)
class Choice:
    """An engine's name, and why it was taken."""

    engine: str
    reason: str


def check_engine(learner: Learner, engine: str, names: Iterable[str]) -> None:
    """Refuse an engine that cannot score a learner's candidates.

    Args:
        learner: that is searched.
        engine: auto, or an engine's name.
        names: parameters that candidates set.

    Raises:
        UserError: the learner has no such engine, or the engine cannot follow a parameter.
    """
    if engine != "auto" and engine not in learner.engines:
        allowed = ", ".join(["auto", *learner.engines])
        raise UserError(f"engine of learner {learner.name!r} must be one of {allowed}, got {engine!r}")
    foreign = sorted(set(names) & set(learner.mllib_only))
    if engine == BoostingEngine.name and foreign:
        raise UserError(f"engine 'boosting' cannot follow {', '.join(foreign)}: give engine=mllib")


def choose_engine(learner: Learner, engine: str, names: Iterable[str], data: FoldData) -> Choice:
    """Return the engine to take: `auto` is boosting where it can follow and the rows fit in a task."""
    if engine != "auto":
        return Choice(engine, "asked for")
    if len(learner.engines) == 1:
        return Choice(learner.engines[0], f"the one that learner {learner.name!r} has")
    foreign = sorted(set(names) & set(learner.mllib_only))
    if foreign:
        return Choice("mllib", f"boosting cannot follow {', '.join(foreign)}")
    needed, limit = matrix_bytes(data), task_memory(data)
    shown = f"the rows need {needed / 1e6:,.0f} MB, a task has {limit / 1e6:,.0f} MB"
    return Choice("boosting" if needed <= limit else "mllib", shown)


def make_engine(name: str, data: FoldData, learner: Learner, seed: int, parallelism: int) -> Engine:
    """Make an engine of some name for a search."""
    return ENGINES[name](data, learner, seed, parallelism)


def matrix_bytes(data: FoldData) -> int:
    """Return what one task of the boosting engine holds at its peak, as far as rows decide it."""
    values = F.sum(F.size(F.unwrap_udt(FEATURES)["values"]))
    row = data.frame.agg(values.alias("values")).first()
    return BYTES_PER_VALUE * int(row["values"] if row else 0)


def task_memory(data: FoldData) -> int:
    """Return the memory that one task may take, in bytes.

    That is spark.executor.pyspark.memory over the executor's cores where a cluster sets it, else half
    of this machine's memory over its cores.
    """
    context = data.frame.sparkSession.sparkContext
    conf = context.getConf()
    asked = conf.get("spark.executor.pyspark.memory")
    if asked:
        jvm = context._jvm
        assert jvm is not None, "a session has a JVM"
        whole = int(jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(asked))
        return whole // int(conf.get("spark.executor.cores") or "1")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return memory // 2 // (os.cpu_count() or 1)
