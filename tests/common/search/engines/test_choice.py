"""Which engine is chosen for many rows; Spark's own limit is exceeded."""

from dataclasses import replace

import numpy as np
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import functions as F

from common.data.target import TWO
from common.errors import UserError
from common.learning.learners import get_learner
from common.learning.vectorizer import FEATURES, LABEL, WEIGHT
from common.search import folds
from common.search.engines import memory
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.rows import ROW, arrow_columns
from common.search.engines.choice import Choice, choose_engine, make_engine
from common.search.engines.collect import largest_part, part_bytes
from common.search.engines.memory import task_bytes
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD_RANK, fold_data

GBT, XGBOOST, SVC, FOREST = (
    get_learner(name) for name in ("gbt", "xgboost", "linear_svc", "random_forest")
)
ROWS, WIDTH = 30_000, 10


@pytest.fixture(scope="module")
def data(spark):
    """30,000 rows of 10 numbers in several partitions: some 5 MB on their way to the driver."""
    # With enough zeros that Spark stores the vectors as sparse ones.
    values = [F.hash("id", F.lit(place)) if place < WIDTH else F.lit(0) for place in range(5 * WIDTH)]
    columns = [value.cast("double").alias(f"x{place}") for place, value in enumerate(values)]
    assembler = VectorAssembler(inputCols=[f"x{place}" for place in range(5 * WIDTH)], outputCol=FEATURES)
    rows = assembler.transform(spark.range(ROWS).select("id", *columns)).select(
        FEATURES,
        (F.col("id") % 2).cast("double").alias(LABEL),
        F.col("id").alias(FOLD_RANK),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "PARTITION_ROWS", ROWS // 4)
        found = fold_data(rows, 3, TWO)
    found.frame.count()
    yield found
    found.frame.unpersist()


@pytest.fixture
def limit(spark):
    """Set spark.driver.maxResultSize, which Spark reads again for the tasks of each job."""
    conf = spark.sparkContext._jsc.sc().conf()
    before = conf.get("spark.driver.maxResultSize", "1g")
    yield lambda size: conf.set("spark.driver.maxResultSize", f"{size}b")
    conf.set("spark.driver.maxResultSize", before)


def refused_by_spark(frame):
    try:
        frame.toArrow()
    except (Py4JJavaError, PySparkException) as error:
        return "spark.driver.maxResultSize" in str(error)
    return False


def test_more_rows_than_spark_lets_through_at_once_are_collected_in_parts(data, limit):
    whole = BoostingEngine(data, GBT, seed=7)
    limit(2 * largest_part(data))
    assert refused_by_spark(arrow_columns(whole.numbered))
    assert choose_engine(GBT, "auto", [], data).engine == "boosting"
    parts = BoostingEngine(data, GBT, seed=7)
    assert len(part_bytes(data)) > 2
    np.testing.assert_array_equal(parts.row_ids, whole.row_ids)
    found, expected = parts.sent_matrix.value, whole.sent_matrix.value
    for name in ("numbers", "places", "label", "fold"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert (found.indicators != expected.indicators).nnz == 0
    assert task_bytes(data) == memory.TASK_BYTES * ROWS * WIDTH


def test_estimate_of_a_part_is_enough_and_not_much_more(data, limit):
    limit(largest_part(data))
    BoostingEngine(data, GBT, seed=7)
    part = max(part_bytes(data), key=part_bytes(data).get)
    limit(int(0.85 * part_bytes(data)[part]))
    numbered = data.frame.withColumn(ROW, F.monotonically_increasing_id())
    assert refused_by_spark(arrow_columns(numbered).where(F.spark_partition_id() == part))


def test_part_that_spark_does_not_let_through_is_left_to_mllib_or_refused(data, limit):
    limit(largest_part(data) - 1)
    choice = choose_engine(GBT, "auto", [], data)
    assert choice.engine == "mllib"
    assert "at once, but spark.driver.maxResultSize=" in choice.reason
    assert isinstance(make_engine(choice, data, GBT, 7), MllibEngine)
    with pytest.raises(UserError, match="'boosting' of learner 'gbt' lacks memory: .* give engine=mllib"):
        choose_engine(GBT, "boosting", [], data)
    # This learner has no other engine.
    with pytest.raises(
        UserError, match="'boosting' of learner 'xgboost' lacks memory: .* another learner"
    ):
        choose_engine(XGBOOST, "auto", [], data)
    assert choose_engine(SVC, "auto", [], data).engine == "mllib"
    assert choose_engine(GBT, "mllib", [], data).reason == "requested"


def test_learner_of_one_engine_is_not_told_to_have_it_for_its_parameters(data):
    """A race of weighted rows said of random_forest: boosting does not support minInstancesPerNode."""
    weighted = replace(data, frame=data.frame.withColumn(WEIGHT, F.lit(2.0)))
    for names in (["minInstancesPerNode"], ["minInfoGain"], []):
        choice = choose_engine(FOREST, "auto", names, weighted)
        assert choice == Choice("mllib", "the only one for learner 'random_forest'"), names
    assert "boosting does not support" in choose_engine(GBT, "auto", ["minInfoGain"], data).reason


@pytest.fixture
def machine(monkeypatch):
    """Give the machine, or its container, twice as much memory as some bytes for each value."""
    monkeypatch.setattr(memory, "heap_bytes", lambda context: 0)
    values = ROWS * WIDTH
    return lambda size: monkeypatch.setattr(memory, "machine_memory", lambda: int(2 * size * values))


def test_fewer_fits_run_at_once_where_memory_is_short(data, machine):
    """The session has two cores; a worker that is idle holds the matrix."""
    machine(2 * memory.TASK_BYTES)
    both = choose_engine(GBT, "auto", [], data)
    assert (both.engine, both.parallelism) == ("boosting", 0)
    assert both.reason == "the rows need 11 MB, a task has 11 MB"
    machine(2 * memory.TASK_BYTES - 1)
    one = choose_engine(GBT, "auto", [], data)
    assert (one.engine, one.parallelism) == ("boosting", 1)
    assert one.reason == "the rows need 11 MB, and 21 MB take 1 of 2 tasks at once"
    assert make_engine(one, data, GBT, 7).parallelism == 1
    # One at once was asked for, for which there is room.
    assert choose_engine(GBT, "auto", [], data, 1).reason == "the rows need 11 MB, a task has 21 MB"
    machine(memory.TASK_BYTES + memory.IDLE_BYTES)
    assert choose_engine(XGBOOST, "auto", [], data).parallelism == 1


def test_rows_that_are_too_many_for_one_fit_are_left_to_mllib_or_refused(data, machine):
    assert task_bytes(data, 2) == (memory.TASK_BYTES + memory.IDLE_BYTES) * ROWS * WIDTH
    machine(memory.TASK_BYTES + memory.IDLE_BYTES - 1)
    choice = choose_engine(GBT, "auto", [], data, 5)
    assert (choice.engine, choice.parallelism) == ("mllib", 5)
    needs = "the rows need 11 MB, a task has 10 MB"
    assert choice.reason == f"{needs}; a train_ratio 0.97 times as large would fit"
    for learner, engine in ((GBT, "boosting"), (XGBOOST, "auto")):
        with pytest.raises(UserError, match="lacks memory: the rows need 11 MB, a task has 10 MB"):
            choose_engine(learner, engine, [], data)
    machine(memory.DRIVER_BYTES - 1)
    assert "need 7 MB on the driver, which has 7 MB" in choose_engine(GBT, "auto", [], data).reason


def test_share_of_the_rows_that_is_told_to_fit_does(data, machine):
    for size in (1, 7, 23, 45):
        machine(size)
        reason = choose_engine(GBT, "auto", [], data).reason
        share = float(reason.partition("a train_ratio ")[2].split()[0])
        # Of so many rows, the same memory is more for each value.
        machine(size / share)
        assert choose_engine(GBT, "auto", [], data).engine == "boosting", size
        machine(size / (1.05 * share))
        assert choose_engine(GBT, "auto", [], data).engine == "mllib", size


@pytest.mark.parametrize(
    ("whole", "heap", "left"), [(24, 4, 12), (8, 4, 2.5), (2, 1, 0.6), (16, 14, 1.6), (8, 0.5, 4)]
)
def test_rows_get_half_of_the_memory_or_what_the_jvm_leaves(spark, monkeypatch, whole, heap, left):
    """On a machine of 8 GB, half to the heap and half to the rows would leave nothing for the rest."""
    monkeypatch.setattr(memory, "machine_memory", lambda: int(whole * 1e9))
    monkeypatch.setattr(memory, "heap_bytes", lambda context: int(heap * 1e9))
    assert memory._room(spark.sparkContext) == pytest.approx(left * 1e9)
