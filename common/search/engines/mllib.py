"""The engine that fits Spark's own estimators."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext, inheritable_thread_target
from pyspark.errors import PySparkException
from pyspark.ml.classification import GBTClassificationModel

from common.errors import first_line
from common.learning.learners import Learner, Parameters
from common.learning.metrics import scores
from common.learning.score_table import score_table
from common.search.engines.shared_fit import shared_fits
from common.search.folds import FoldData
from common.search.result import Outcome

# Between its jobs a fit waits for the driver: twice as many fits as cores keep the cores busy.
FITS_PER_CORE = 2


class MllibEngine:
    """Scores candidates as Spark's CrossValidator would with the same folds, and faster.

    Folds and candidates are fitted side by side, and candidates that differ only in the number of
    trees are read off one fit (the model of 25 trees is the first 25 of the model of 50).
    """

    name = "mllib"

    def __init__(self, data: FoldData, learner: Learner, seed: int, parallelism: int = 0) -> None:
        """Take what all candidates share.

        Args:
            data: training rows in folds.
            learner: whose estimator is fitted.
            seed: of the estimator.
            parallelism: how many fits run at once; 0: twice as many as the session has cores.
        """
        self.data, self.learner, self.seed = data, learner, seed
        cores = data.frame.sparkSession.sparkContext.defaultParallelism
        self.workers = parallelism or FITS_PER_CORE * cores

    def evaluate(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        """Score candidates (parameters by Spark's names).

        Yields:
            Each candidate's outcome as soon as its last fold is scored.
        """
        groups = shared_fits(candidates, self.learner)
        with ThreadPoolExecutor(self.workers) as pool:
            fit = inheritable_thread_target(self.data.frame.sparkSession)(self._fit_and_score)
            futures = {
                pool.submit(fit, group.candidates, fold): (group, fold)
                for group in groups
                for fold in range(self.data.folds)
            }
            try:
                for future in as_completed(futures):
                    group, fold = futures[future]
                    error = future.exception()
                    if error is None:
                        group.folds[fold] = future.result()
                    elif isinstance(error, (Py4JJavaError, PySparkException)):
                        group.errors[fold] = first_line(error)
                    else:
                        raise error
                    yield from group.outcomes(self.data.folds)
            finally:
                pool.shutdown(cancel_futures=True)

    def _fit_and_score(self, group: list[Parameters], fold: int) -> tuple[float, list[dict[str, float]]]:
        learner, data = self.learner, self.data
        started = time.perf_counter()
        model = learner.estimator(group[0], self.seed).fit(data.train(fold))
        seconds = time.perf_counter() - started
        found = []
        for parameters in group:
            trees = parameters.get(learner.prefix) if learner.prefix else None
            part = model if trees is None or parameters is group[0] else first_trees(model, int(trees))
            found.append(scores(score_table(part.transform(data.validation(fold)), data.rows)))
        return seconds, found


def first_trees(model: GBTClassificationModel, trees: int) -> GBTClassificationModel:
    """Return the model that fewer iterations would have given: the first trees and their weights.

    Args:
        model: a fitted model.
        trees: how many to keep, from 1 to all.
    """
    java = model._java_obj
    gateway = SparkContext._gateway
    assert gateway is not None, "a fitted model has a session"
    assert java is not None, "a fitted model lives in a JVM"
    jvm = gateway.jvm
    kept = gateway.new_array(jvm.org.apache.spark.ml.regression.DecisionTreeRegressionModel, trees)
    weights = gateway.new_array(jvm.double, trees)
    all_trees, all_weights = java.trees(), java.treeWeights()
    for i in range(trees):
        kept[i] = all_trees[i]
        weights[i] = all_weights[i]
    part = jvm.org.apache.spark.ml.classification.GBTClassificationModel(
        java.uid(), kept, weights, java.numFeatures(), java.numClasses()
    )
    return GBTClassificationModel(part)
