"""Which engine scores a search's candidates, and why."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.errors import UserError
from common.learning.learners import Learner, Parameters
from common.machine.memory import machine_memory
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.collect import largest_part, most_bytes
from common.search.engines.mllib import MllibEngine
from common.search.folds import FoldData
from common.search.result import Outcome

# What is held for each value of a feature that is not zero, at the peak: in a task the matrix as it was
# sent, a fold's rows of it and XGBoost's own form of them; on the driver, before, what was collected and
# its sorting by columns (57 were measured).
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
    """Return the engine to take: `auto` is boosting where it can follow and has room for the rows.

    Raises:
        UserError: boosting is asked for, or the only one, and has no room.
    """
    if engine == MllibEngine.name:
        return Choice(engine, "asked for")
    foreign = sorted(set(names) & set(learner.mllib_only))
    if engine == "auto" and foreign:
        return Choice("mllib", f"boosting cannot follow {', '.join(foreign)}")
    if BoostingEngine.name not in learner.engines:
        return Choice(learner.engines[0], f"the one that learner {learner.name!r} has")
    needed, limit = matrix_bytes(data), task_memory(data)
    lacking = _lacking(data, needed, limit)
    if not lacking:
        return Choice("boosting", f"the rows need {_mb(needed)}, a task has {_mb(limit)}")
    if engine == "auto" and MllibEngine.name in learner.engines:
        return Choice("mllib", lacking)
    way = "give engine=mllib" if MllibEngine.name in learner.engines else "give another learner"
    raise UserError(
        f"engine 'boosting' of learner {learner.name!r} has no room: {lacking}: {way}, or raise that"
    )


def _lacking(data: FoldData, needed: int, limit: int) -> str:
    """Return what is too small for the rows, or nothing."""
    part, (most, bound) = largest_part(data), most_bytes(data.frame.sparkSession.sparkContext)
    driver = machine_memory() // 2
    if needed > limit:
        return f"the rows need {_mb(needed)}, a task has {_mb(limit)}"
    if needed > driver:
        return f"the rows need {_mb(needed)} on the driver, half of its memory is {_mb(driver)}"
    if part > most:
        return f"rows come to the driver {_mb(part)} at once, but {bound} lets {_mb(most)} through"
    return ""


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def make_engine(name: str, data: FoldData, learner: Learner, seed: int, parallelism: int) -> Engine:
    """Make an engine of some name for a search."""
    return ENGINES[name](data, learner, seed, parallelism)


def matrix_bytes(data: FoldData) -> int:
    """Return what one task of the boosting engine, or the driver that collects, holds at its peak."""
    return BYTES_PER_VALUE * sum(values for _, values in data.partitions.values())


def task_memory(data: FoldData) -> int:
    """Return the memory that one task may take, in bytes.

    That is spark.executor.pyspark.memory over the executor's cores where a cluster sets it, else half
    of a machine's memory, or of its container's, over the tasks that it runs at once: of this machine,
    or of the worker's that has least.
    """
    context = data.frame.sparkSession.sparkContext
    conf = context.getConf()
    asked = conf.get("spark.executor.pyspark.memory")
    if asked:
        jvm = context._jvm
        assert jvm is not None, "a session has a JVM"
        whole = int(jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(asked))
        return whole // int(conf.get("spark.executor.cores") or "1")
    if str(context.master).startswith("local"):
        return machine_memory() // 2 // context.defaultParallelism
    tasks = 2 * context.defaultParallelism
    return int(context.parallelize(range(tasks), tasks).map(_share_of_worker).min())


def _share_of_worker(_: int) -> int:
    # A worker gives as many tasks at once as it has cores, unless it was told otherwise.
    return machine_memory() // 2 // (os.cpu_count() or 1)
