"""Rows brought to the driver in parts, each of which Spark lets through."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyspark import SparkContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.search.folds import FoldData

# Of Arrow's form: a row's numbers, offsets and validity; a value's place and itself; and what a task that
# has no rows brings too.
ROW_BYTES, VALUE_BYTES, TASK_BYTES = 40, 12.5, 10_000
# What the JVM holds of a part is to leave it room for its own work.
HEAP_SHARE = 4


def part_bytes(data: FoldData) -> dict[int, int]:
    """Return how many bytes each partition of fold data is on its way to the driver."""
    return {
        part: int(ROW_BYTES * rows + VALUE_BYTES * values)
        for part, (rows, values) in data.partitions.items()
    }


def most_bytes(context: SparkContext) -> tuple[int, str]:
    """Return how many bytes may come to the driver at once, and what sets that bound."""
    jvm = context._jvm
    assert jvm is not None, "a session has a JVM"
    heap = int(jvm.java.lang.Runtime.getRuntime().maxMemory()) // HEAP_SHARE
    asked = context.getConf().get("spark.driver.maxResultSize") or "1g"
    result = int(jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(asked))
    if 0 < result < heap:
        return result, f"spark.driver.maxResultSize={asked}"
    return heap, "a quarter of the driver's memory (spark.driver.memory)"


def collect_in_parts(frame: DataFrame, sizes: Mapping[int, int], most: int) -> pa.Table:
    """Collect a frame that has the partitions of some fold data, in their order.

    Args:
        frame: cached, since it is read once a part.
        sizes: bytes by partition, none of them above `most`.
        most: bytes at once.
    """
    partition = F.spark_partition_id()
    groups = _groups(sizes, most - TASK_BYTES * len(sizes))
    return pa.concat_tables([frame.where(partition.isin(group)).toArrow() for group in groups])


def largest_part(data: FoldData) -> int:
    """Return the bytes that must come to the driver at once, at the least."""
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
