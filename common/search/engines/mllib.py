"""The engine that uses Spark's own estimators."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.ml.classification import GBTClassificationModel
from pyspark.ml.regression import GBTRegressionModel

from common.errors import first_line
from common.learning.fold_score import FoldScore, fold_score
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.learning.score_table import score_table
from common.machine.threads import inheriting
from common.search.engines.shared_fit import shared_fits
from common.search.folds import FoldData, weighted
from common.search.result import Outcome

# A fit waits for the driver between its jobs, so it takes twice as many fits as cores to keep them busy.
FITS_PER_CORE = 2


class MllibEngine:
    """Scores candidates like Spark's CrossValidator with the same folds, but faster.

    Folds and candidates are fitted concurrently. Candidates that differ only in the number of trees share
    one fit: the model with 25 trees is the first 25 trees of the model with 50.
    """

    name = "mllib"

    def __init__(self, data: FoldData, learner: Learner, seed: int, parallelism: int = 0) -> None:
        """Create the engine for a search.

        Args:
            data: The training rows in folds.
            learner: The learner whose estimator is fitted.
            seed: Seed of the estimator.
            parallelism: Number of concurrent fits; 0 for twice the number of the session's cores.
        """
        self.data, self.learner, self.seed = data, learner, seed
        self.estimator = learner.fitting(data.target.task).estimator
        cores = data.frame.sparkSession.sparkContext.defaultParallelism
        self.workers = parallelism or FITS_PER_CORE * cores

    def evaluate(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        """Score candidates.

        Yields:
            Each candidate's outcome as soon as its last fold is scored.
        """
        groups = shared_fits(candidates, self.learner)
        with ThreadPoolExecutor(self.workers) as pool:
            session, fit = self.data.frame.sparkSession, self._fit_and_score
            futures = {
                pool.submit(inheriting(session, fit, group.candidates, fold)): (group, fold)
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

    def _fit_and_score(self, group: list[Parameters], fold: int) -> tuple[float, list[FoldScore]]:
        learner, data = self.learner, self.data
        started = time.perf_counter()
        model = weighted(self.estimator(group[0], self.seed), data).fit(data.train(fold))
        seconds = time.perf_counter() - started
        found = []
        for parameters in group:
            # Only those that differ in the number of trees share a fit.
            prefix = learner.chosen(parameters)[0].prefix or ""
            part = model if parameters is group[0] else first_trees(model, int(parameters[prefix]))
            said = part.transform(data.validation(fold))
            found.append(fold_score(score_table(said, data.target, data.rows)))
        return seconds, found


BoostedTrees = GBTClassificationModel | GBTRegressionModel


def first_trees(model: BoostedTrees, trees: int) -> BoostedTrees:
    """Return the model that fewer iterations would have given: the first trees and their weights.

    Args:
        model: A fitted model.
        trees: Number of trees to keep, from 1 to all.
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
    part: BoostedTrees
    if isinstance(model, GBTRegressionModel):
        of_numbers = jvm.org.apache.spark.ml.regression.GBTRegressionModel
        part = GBTRegressionModel(of_numbers(java.uid(), kept, weights, java.numFeatures()))
    else:
        of_labels = jvm.org.apache.spark.ml.classification.GBTClassificationModel
        part = GBTClassificationModel(
            of_labels(java.uid(), kept, weights, java.numFeatures(), java.numClasses())
        )
    # The names of the columns.
    return model._copyValues(part)
