"""The memory of a Spark application that many steps share, one after the other.

python -m benchmarks.application [--workflows NUMBER]

Each step caches rows, broadcasts, shuffles, has Python workers compute, and writes and reads Parquet. It
drops nothing itself. Seven are a workflow.
"""

import subprocess
import sys
from typing import Any

import click
import psutil
from py4j.java_gateway import JavaGateway

from common.machine import spark

from .report import report

STEPS = 7  # of a workflow
STEP = """
import tempfile
from pyspark.sql import functions as F
from common.machine.spark import get_session, name_jobs
spark = get_session(brief=True)
name_jobs(spark, "step {number}", "a step")
sent = spark.sparkContext.broadcast(bytes(20_000_000))
rows = spark.range(200_000).select(F.rand(1).alias("x"), (F.col("id") % 7).alias("k")).cache()
rows.groupBy("k").agg(F.avg("x")).toPandas()
spark.sparkContext.parallelize(range(4), 2).map(lambda _: len(sent.value)).collect()
with tempfile.TemporaryDirectory() as folder:
    rows.write.parquet(folder + "/rows")
    spark.read.parquet(folder + "/rows").groupBy("k").count().collect()
"""


@click.command()
@click.option("--workflows", default=20, show_default=True, type=click.IntRange(2), help="Their number.")
def application(workflows: int) -> None:
    """Run the steps of some workflows in one application, and look at its JVM after each workflow."""
    rows = []
    for workflow in range(1, workflows + 1):
        for step in range(STEPS):
            with spark.lend_spark():
                script = STEP.format(number=workflow * STEPS + step)
                subprocess.run([sys.executable, "-c", script], check=True)
        assert spark._lender is not None, "the application is lent"
        gateway = spark._lender.gateway()
        assert gateway is not None, "its JVM lives"
        rows.append({"workflow": workflow, **_memory(gateway)})
    middle, last = rows[len(rows) // 2], rows[-1]
    facts = {
        f"{name}, after the middle and the last workflow": f"{middle[name]}, {last[name]}"
        for name in middle
        if name != "workflow"
    }
    report("application", rows, facts)


def _memory(gateway: JavaGateway) -> dict[str, Any]:
    """Return what the JVM holds once it has collected what nothing refers to."""
    java: Any = gateway.jvm
    runtime = java.java.lang.Runtime.getRuntime()
    java.System.gc()
    process = psutil.Process(gateway.proc.pid)
    context = java.org.apache.spark.SparkContext.getOrCreate()
    return {
        "heap MB": round((runtime.totalMemory() - runtime.freeMemory()) / 1e6),
        "resident MB": round(process.memory_info().rss / 1e6),
        "threads": process.num_threads(),
        "cached": context.getPersistentRDDs().size(),
    }


if __name__ == "__main__":
    application()
