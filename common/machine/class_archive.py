"""An archive of the classes that Spark's JVM loads, so that the sessions of later steps start sooner.

A workflow is many processes, and each JVM would unpack, parse and verify the same ten thousand classes.
Java's class data sharing (JEP 350) stores them in the form that they have in memory. `make setup` makes
the archive, in the environment's folder, with `python -m common.machine.class_archive`.
"""

import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from common.machine.spark import get_session
from common.machine.spark_settings import CLASS_ARCHIVE
from common.machine.whole_file import whole_file


def write_archive(path: Path) -> None:
    """Start a session, load the classes that the steps need, and archive them when the session ends.

    Args:
        path: The archive to write; an existing one is replaced. If Java or the jars change later, the
            JVM notices and ignores the archive.

    Raises:
        OSError: The JVM wrote no archive, as before Java 13.
    """
    # A truncated archive crashes the JVM, so the file gets its name only when it is complete.
    with whole_file(path) as part:
        spark = get_session("local[1]", java_options=[f"-XX:ArchiveClassesAtExit={part}"])
        _load_classes(spark)
        gateway = SparkContext._gateway
        assert gateway is not None, "a session has a gateway to its JVM"
        spark.stop()
        # The JVM ends, and writes the archive, when the pipe that it listens on is closed.
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        if not part.is_file():
            raise OSError(f"Java wrote no archive for {path}")


def _load_classes(spark: SparkSession) -> None:
    """Do a little of what the steps do: Parquet, shuffles, vectors, trees, Arrow."""
    number, kind, label = (F.col("id") % 7, F.col("id") % 3, F.col("id") % 2)
    frame = spark.range(200).select(
        number.cast("double").alias("x"), kind.cast("string").alias("kind"), label.alias("label")
    )
    with tempfile.TemporaryDirectory() as folder:
        frame.write.parquet(f"{folder}/frame")
        kept = spark.read.parquet(f"{folder}/frame")
        indexer = StringIndexer(inputCol="kind", outputCol="place")
        assembler = VectorAssembler(inputCols=["x", "place"], outputCol="features")
        model = Pipeline(stages=[indexer, assembler, GBTClassifier(maxIter=2)]).fit(kept)
        scored = model.transform(kept).cache()
        scored.groupBy("label", "prediction").agg(F.count("x"), F.sum("x")).toPandas()
        scored.select("x", F.unwrap_udt("features")).toArrow()
        model.write().save(f"{folder}/model")


if __name__ == "__main__":
    write_archive(CLASS_ARCHIVE)
