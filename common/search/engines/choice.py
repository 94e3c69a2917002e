"""Selection of the engine that scores a search's candidates, with the reason."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.errors import UserError
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.machine.memory import machine_memory
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.collect import largest_part, most_bytes
from common.search.engines.mllib import MllibEngine
from common.search.folds import FoldData
from common.search.result import Outcome

# Peak memory per non-zero feature value. A task holds the broadcast matrix, a fold's rows of it and
# XGBoost's own copy of them (36 to 40 bytes were measured). The driver, earlier, holds the rows as they
# come and as the matrix (34 bytes).
BYTES_PER_VALUE = 48
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
    """The name of the selected engine, and the reason."""

    engine: str
    reason: str


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


def choose_engine(learner: Learner, engine: str, names: Iterable[str], data: FoldData) -> Choice:
    """Select the engine; `auto` is boosting if it supports the parameters and the rows fit in memory.

    Args:
        learner: The learner to search.
        engine: `auto` or an engine's name, checked by `check_engine`.
        names: Names of the parameters that the candidates set.
        data: The training rows in folds.

    Raises:
        UserError: Boosting is requested, or is the only engine, and the rows do not fit in memory.
    """
    if engine == MllibEngine.name:
        return Choice(engine, "requested")
    foreign = sorted(set(names) & {*learner.mllib_only, *(COUNTED if data.is_weighted else ())})
    if engine == "auto" and foreign:
        return Choice("mllib", f"boosting does not support {', '.join(foreign)}{_weighted(data)}")
    if engine == BoostingEngine.name and foreign:
        raise UserError(
            f"engine 'boosting' does not support {', '.join(foreign)}{_weighted(data)}: give engine=mllib"
        )
    if BoostingEngine.name not in learner.engines:
        return Choice(learner.engines[0], f"the only one for learner {learner.name!r}")
    needed, limit = matrix_bytes(data), task_memory(data)
    lacking = _lacking(data, needed, limit)
    if not lacking:
        return Choice("boosting", f"the rows need {_mb(needed)}, a task has {_mb(limit)}")
    if engine == "auto" and MllibEngine.name in learner.engines:
        return Choice("mllib", lacking)
    way = "give engine=mllib" if MllibEngine.name in learner.engines else "give another learner"
    raise UserError(
        f"engine 'boosting' of learner {learner.name!r} lacks memory: {lacking}: {way}, or raise "
        "the limit"
    )


def _weighted(data: FoldData) -> str:
    return " of rows with weights" if data.is_weighted else ""


def _lacking(data: FoldData, needed: int, limit: int) -> str:
    """Describe the limit that the rows exceed; empty if they fit."""
    part, (most, bound) = largest_part(data), most_bytes(data.frame.sparkSession.sparkContext)
    driver = machine_memory() // 2
    if needed > limit:
        return f"the rows need {_mb(needed)}, a task has {_mb(limit)}"
    if needed > driver:
        return f"the rows need {_mb(needed)} on the driver, half of its memory is {_mb(driver)}"
    if part > most:
        return f"the driver must receive {_mb(part)} at once, but {bound} allows {_mb(most)}"
    return ""


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def make_engine(name: str, data: FoldData, learner: Learner, seed: int, parallelism: int) -> Engine:
    """Create the engine with this name for a search."""
    return ENGINES[name](data, learner, seed, parallelism)


def matrix_bytes(data: FoldData) -> int:
    """Return the peak memory of a task of the boosting engine, or of the collecting driver, in bytes."""
    return BYTES_PER_VALUE * sum(values for _, values in data.partitions.values())


def task_memory(data: FoldData) -> int:
    """Return the memory that one task may use, in bytes.

    If spark.executor.pyspark.memory is set, it is that divided by the executor's cores. Otherwise it is
    half of the memory of the machine (or its container) divided by the number of tasks that it runs
    concurrently: in local mode for this machine, on a cluster for the worker with the least.
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
    # By default a worker runs as many tasks at once as it has cores.
    return machine_memory() // 2 // (os.cpu_count() or 1)
