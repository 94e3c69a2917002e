"""Collection of rows on the driver, in parts that stay within Spark's limits."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyspark import SparkContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.search.folds import FoldData

# Sizes in Arrow's format: per row its numbers, offsets and validity; per value its index and the value
# itself; and the overhead per task, even without rows.
ROW_BYTES, VALUE_BYTES, TASK_BYTES = 40, 12.5, 10_000
# A part may take one fourth of the heap, so that the JVM has room for its other work.
HEAP_SHARE = 4
# What is collected at once if no partition is larger. A job takes 50 ms, and the JVM holds all of it.
ENOUGH_BYTES = 256_000_000


def part_bytes(data: FoldData) -> dict[int, int]:
    """Return the number of bytes that each partition of fold data sends to the driver."""
    return {
        part: int(ROW_BYTES * rows + VALUE_BYTES * values)
        for part, (rows, values) in data.partitions.items()
    }


def most_bytes(context: SparkContext) -> tuple[int, str]:
    """Return the number of bytes that the driver may receive at once, and what sets that limit."""
    jvm = context._jvm
    assert jvm is not None, "a session has a JVM"
    heap = heap_bytes(context) // HEAP_SHARE
    asked = context.getConf().get("spark.driver.maxResultSize") or "1g"
    result = int(jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(asked))
    if 0 < result < heap:
        return result, f"spark.driver.maxResultSize={asked}"
    return heap, "a quarter of the driver's memory (spark.driver.memory)"


def heap_bytes(context: SparkContext) -> int:
    """Return the size to which the heap of the driver's JVM may grow."""
    jvm = context._jvm
    assert jvm is not None, "a session has a JVM"
    return int(jvm.java.lang.Runtime.getRuntime().maxMemory())


def collect_in_parts(frame: DataFrame, sizes: Mapping[int, int], most: int) -> Iterator[pa.Table]:
    """Collect a frame in parts, in the order of its partitions; a part comes when it is asked for.

    Args:
        frame: A cached frame with the partitions of fold data; it is read once per part.
        sizes: Bytes by partition, none above `most`.
        most: Maximum number of bytes at once.
    """
    partition = F.spark_partition_id()
    for group in _groups(sizes, min(most - TASK_BYTES * len(sizes), ENOUGH_BYTES)):
        yield frame.where(partition.isin(group)).toArrow()


def largest_part(data: FoldData) -> int:
    """Return the minimum number of bytes that the driver must be able to receive at once."""
    sizes = part_bytes(data)
    return max(sizes.values()) + TASK_BYTES * len(sizes)


def _groups(sizes: Mapping[int, int], most: int) -> Iterator[list[int]]:
    group: list[int] = []
    for part in sorted(sizes):
        if group and sum(sizes[one] for one in group) + sizes[part] > most:
            yield group
            group = []
        group.append(part)
    yield group
