import os
import sys
from concurrent.futures import ThreadPoolExecutor

from common.machine import spark as machine
from common.machine import spark_settings
from common.machine.spark import get_session
from common.machine.threads import inheriting


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
