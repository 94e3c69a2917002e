"""Work in a thread of its own, with the Spark properties of the one that starts it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

T = TypeVar("T")


def inheriting(session: SparkSession, work: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    """Return work for one thread to do once, with the Spark properties of the current thread.

    It has a copy of its own. If threads share one, jobs count for the queries of other threads, where
    Spark keeps them for ever.
    """
    found: Callable[[], T] = inheritable_thread_target(session)(partial(work, *arguments))
    return found


def beside(session: SparkSession, work: Callable[..., T], *arguments: Any) -> Future[T]:
    """Start work in its own thread, with the Spark properties of the current one.

    Returns:
        A future of the result.
    """
    return in_thread(inheriting(session, work, *arguments))


def in_thread(work: Callable[..., T], *arguments: Any) -> Future[T]:
    """Start work in its own thread, and return a future of the result."""
    pool = ThreadPoolExecutor(1)
    started = pool.submit(work, *arguments)
    pool.shutdown(wait=False)
    return started
