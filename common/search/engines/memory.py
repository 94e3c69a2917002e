"""The memory that the boosting engine needs, and how many of its fits may therefore run at once."""

import os
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

from pyspark import SparkContext

from common.machine.memory import machine_memory
from common.search.engines.collect import heap_bytes, largest_part, most_bytes
from common.search.folds import FoldData

# Bytes per non-zero feature value, at the peak. A task holds the broadcast matrix, which stays with an
# idle worker, the bins of its numbers, and XGBoost's form of a fold's rows (27 to 29 were measured, with
# what a worker imports). The driver, earlier, holds the rows as they come and as the matrix (21).
TASK_BYTES, IDLE_BYTES, DRIVER_BYTES = 36, 10, 24
# What a local driver's Python, and the JVM beside its heap, take: this, or a fifth of a small machine.
OTHERS = 1_500_000_000


@dataclass(frozen=True)
class Room:
    """How many fits there is memory for.

    Attributes:
        at_once: How many may run at once: 0 for one per core, None if the rows are too many for one.
        reason: Why, in words.
    """

    at_once: int | None
    reason: str


def room_for(data: FoldData, parallelism: int) -> Room:
    """Return how many fits of the boosting engine may run at once.

    On this machine they may be fewer than its cores. The workers of a cluster run as many as they have
    cores, so each task needs its share of a worker.

    Args:
        data: The training rows in folds.
        parallelism: Number of concurrent fits that was asked for; 0 for one per core.
    """
    context = data.frame.sparkSession.sparkContext
    values = _values(data)
    part, (most, bound) = largest_part(data), most_bytes(context)
    if part > most:
        return Room(None, f"the driver must receive {_mb(part)} at once, but {bound} allows {_mb(most)}")
    needed, on_driver, room = TASK_BYTES * values, DRIVER_BYTES * values, _room(context)
    cores, is_local = context.defaultParallelism, _is_local(context)
    # The workers of this machine that are idle meanwhile hold the matrix too.
    idle = task_bytes(data, cores) - needed if is_local else 0
    share = room if is_local else _share(context)
    that_fits = min(room / max(1, on_driver), share / max(1, needed + idle))
    if that_fits < 1:
        there = f"the rows need {_mb(on_driver)} on the driver, which has {_mb(room)} for them"
        why = there if on_driver > room else _said(needed, share - idle)
        return Room(None, f"{why}; a train_ratio {_down(that_fits)} times as large would fit")
    if not is_local:
        return Room(parallelism, _said(needed, share))
    asked = min(parallelism or cores, cores)
    fewer = (room - cores * IDLE_BYTES * values) // max(1, (TASK_BYTES - IDLE_BYTES) * values)
    if fewer >= asked:
        return Room(parallelism, _said(needed, room // asked))
    return Room(
        fewer, f"the rows need {_mb(needed)}, and {_mb(room)} take {fewer} of {asked} tasks at once"
    )


def _down(share: float) -> str:
    """Return a share below 1 with its first two digits, rounded down."""
    return str(Decimal(share).normalize(Context(prec=2, rounding=ROUND_DOWN)))


def _said(needed: int, share: int) -> str:
    return f"the rows need {_mb(needed)}, a task has {_mb(share)}"


def _room(context: SparkContext) -> int:
    """Return the memory of this machine that the driver's rows, or all tasks of a local one, may use.

    It is half of all, less where the heap of a local JVM leaves no half: in time it takes all it may.
    """
    whole = machine_memory()
    return max(whole // 10, min(whole // 2, whole - heap_bytes(context) - min(OTHERS, whole // 5)))


def task_bytes(data: FoldData, cores: int = 1) -> int:
    """Return the bytes of a task of the boosting engine at its peak, and of idle workers beside it."""
    return (TASK_BYTES + (cores - 1) * IDLE_BYTES) * _values(data)


def _values(data: FoldData) -> int:
    """Return the number of non-zero feature values."""
    return sum(count for _, count in data.partitions.values())


def _share(context: SparkContext) -> int:
    """Return the memory that each of as many tasks as there are cores may use on a cluster, in bytes.

    If spark.executor.pyspark.memory is set, it is that divided by the executor's cores. Otherwise it is
    half of the memory of the worker (or its container) that has the least, divided by its cores.
    """
    if asked := context.getConf().get("spark.executor.pyspark.memory"):
        jvm = context._jvm
        assert jvm is not None, "a session has a JVM"
        whole = int(jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(asked))
        return whole // int(context.getConf().get("spark.executor.cores") or "1")
    tasks = 2 * context.defaultParallelism
    return int(context.parallelize(range(tasks), tasks).map(_share_of_worker).min())


def _is_local(context: SparkContext) -> bool:
    """Return whether all tasks run on this machine and share its memory."""
    return str(context.master).startswith("local") and not context.getConf().get(
        "spark.executor.pyspark.memory"
    )


def _share_of_worker(_: int) -> int:
    # By default a worker runs as many tasks at once as it has cores.
    return machine_memory() // 2 // (os.cpu_count() or 1)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else "less than 1 MB"
