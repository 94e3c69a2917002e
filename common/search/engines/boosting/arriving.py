"""The accumulator by which results reach the driver when their task ends.

Workers import its module, so it stands alone.
"""

from queue import SimpleQueue
from typing import Any

from pyspark import AccumulatorParam


class Arriving(AccumulatorParam[list[Any]]):
    """Puts the results of each task into a queue on the driver."""

    def __init__(self, queue: SimpleQueue[Any] | None) -> None:
        """Take the queue; a worker has none."""
        self.queue = queue

    def __reduce__(self) -> tuple[Any, ...]:
        return (Arriving, (None,))

    def zero(self, value: list[Any]) -> list[Any]:
        """Return an accumulator's content before anything has arrived."""
        return []

    def addInPlace(self, value1: list[Any], value2: list[Any]) -> list[Any]:
        """Return the content with more of it; on the driver it goes into the queue."""
        if self.queue is None:
            return value1 + value2
        for item in value2:
            self.queue.put(item)
        return value1
