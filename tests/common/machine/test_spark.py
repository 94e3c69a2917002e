import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from common.machine import spark as machine
from common.machine import spark_settings
from common.machine.spark import get_session
from common.machine.threads import inheriting
from tests.project import ROOT


def test_jvm_gets_no_more_than_half_of_a_small_container(monkeypatch):
    for memory, given in ((64 << 30, "4096m"), (8 << 30, "4096m"), (2 << 30, "1024m")):
        monkeypatch.setattr(spark_settings, "machine_memory", lambda memory=memory: memory)
        assert spark_settings._driver_memory() == given


def test_workers_of_this_machine_are_of_this_environment_whatever_python_is_a_clusters(monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/none")
    spark_settings.settings_for("spark://host:7077", None, brief=False)
    assert os.environ["PYSPARK_PYTHON"] == "/usr/bin/none"
    spark_settings.settings_for("local[1]", None, brief=False)
    assert os.environ["PYSPARK_PYTHON"] == sys.executable


def test_workers_of_changed_code_are_new_ones(spark, monkeypatch):
    """A worker keeps the modules that it has imported."""

    def parent(frames):
        for frame in frames:
            yield frame.assign(id=os.getppid())

    def daemons():
        get_session(spark.sparkContext.master)
        found = spark.sparkContext.parallelize(range(2), 2).map(lambda _: os.getppid())
        of_sql = spark.range(2).mapInPandas(parent, "id long")
        return {*found.collect(), *(row.id for row in of_sql.collect())}

    before = daemons()
    assert daemons() == before
    with monkeypatch.context() as patch:
        patch.setattr(machine, "code_state", lambda: "changed")
        changed = daemons()
    assert len(before) == len(changed) == 1
    assert before != changed
    assert daemons() == before


def test_threads_start_with_the_properties_of_the_one_that_made_their_work_and_share_none(spark):
    context = spark.sparkContext

    def change(name):
        before = context.getLocalProperty("income.test")
        context.setLocalProperty("income.test", name)
        return before

    context.setLocalProperty("income.test", "ours")
    try:
        # One thread after the other.
        works = [inheriting(spark, change, name) for name in ("one", "two", "three")]
        found = [pool.submit(work).result() for work in works for pool in [ThreadPoolExecutor(1)]]
        assert found == ["ours"] * 3
        assert context.getLocalProperty("income.test") == "ours"
    finally:
        context.setLocalProperty("income.test", None)


FIT = """
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.linalg import Vectors
from common.machine.spark import get_session
rows = get_session(brief=True).createDataFrame([(-1.0, Vectors.dense(1.0))], ["label", "features"])
try:
    LogisticRegression().fit(rows)
except Exception as error:
    print(type(error).__name__)
"""


def test_fit_that_fails_is_told_by_its_error_alone():
    """That of a candidate is kept with it; that of an interrupted search is of no use."""
    done = subprocess.run([sys.executable, "-c", FIT], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.endswith("Exception\n") or done.stdout.endswith("Error\n")
    assert "ERROR" not in done.stderr
