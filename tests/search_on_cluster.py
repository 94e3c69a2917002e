"""A search on the cluster of SPARK_MASTER, for test_cluster; prints scores and who did the work."""

import json
import sys

from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T

from common.data.target import TWO
from common.learning.learners import get_learner
from common.learning.vectorizer import FEATURES, LABEL
from common.machine.spark import get_session
from common.search.engines.boosting.driver import BoostingEngine
from common.search.folds import FOLD_RANK, fold_data
from common.search.grid import grid_candidates

GRID = {"maxDepth": [1, 2, 3, 4], "maxBins": [8, 16, 32], "maxIter": [40], "stepSize": [0.1, 0.3]}


def tasks_by_executor(spark):
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(False)
    found = [executors.apply(place) for place in range(executors.size())]
    return {executor.id(): executor.totalTasks() for executor in found if executor.id() != "driver"}


def lost_executors(spark):
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(False)
    found = [executors.apply(place) for place in range(executors.size())]
    return [executor.id() for executor in found if not executor.isActive()]


class HeldEngine(BoostingEngine):
    """After the first fits of a search, waits for input before it goes on."""

    jobs = 0

    def _run(self, fits):
        for number, result in enumerate(super()._run(fits)):
            if number == 0:
                # The test now ends a worker, and then writes a line.
                print("held", flush=True)
                sys.stdin.readline()
                self.jobs = len(self.context.statusTracker().getActiveJobsIds())
            yield result


def main(rows):
    spark = get_session()
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    frame = spark.createDataFrame(
        [(Vectors.dense(values), label, rank) for values, label, rank in rows],
        schema.add(LABEL, "double").add(FOLD_RANK, "long"),
    )
    learner = get_learner("gbt")
    data = fold_data(frame, 5, TWO)
    first, *others = grid_candidates(GRID, learner)
    scores = {o.name: o.folds for o in BoostingEngine(data, learner, seed=7).evaluate([first])}
    # Everything that the fits share has been broadcast: from here on every task runs fits.
    before = tasks_by_executor(spark)
    engine = HeldEngine(data, learner, seed=7)
    for outcome in engine.evaluate(others):
        assert outcome.name not in scores, f"{outcome.name} came twice"
        scores[outcome.name] = outcome.folds
    after = tasks_by_executor(spark)
    tasks = {name: after[name] - before.get(name, 0) for name in after}
    found = {"scores": scores, "tasks": tasks, "lost": lost_executors(spark)}
    print(json.dumps(found | {"jobs_after_the_loss": engine.jobs}))


if __name__ == "__main__":
    main(json.loads(sys.stdin.readline()))
