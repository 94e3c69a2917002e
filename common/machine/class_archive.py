"""An archive of the classes that Spark's JVM loads, so that the sessions of later steps start sooner.

A workflow is many processes, and each JVM would unpack, parse and verify the same ten thousand classes.
Java's class data sharing (JEP 350) keeps them as they lie in memory. `make setup` makes the archive
beside the environment, by `python -m common.machine.class_archive`.
"""

import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from common.machine.spark import CLASS_ARCHIVE, get_session
from common.machine.whole_file import whole_file


def write_archive(path: Path) -> None:
    """Start a session, have it load what the steps need, and keep its classes as it ends.

    Args:
        path: the archive; what was there is replaced. One of another Java or of other jars is no error
            later: the JVM sees that and does without.

    Raises:
        OSError: the JVM wrote none, as one before Java 13 would not.
    """
    # A JVM dies of an archive that is cut short, so it gets its name when it is whole.
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
