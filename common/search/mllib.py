"""The engine that fits Spark's own estimators."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from pyspark import SparkContext, inheritable_thread_target
from pyspark.ml.classification import GBTClassificationModel

from common.learners import Learner, Parameters
from common.metrics import score_table, scores
from common.search.folds import FoldData
from common.search.result import CandidateResult

# Between its jobs a fit waits for the driver: twice as many fits as cores keep the cores busy.
FITS_PER_CORE = 2


def evaluate(
    candidates: Sequence[Parameters],
    data: FoldData,
    learner: Learner,
    seed: int,
    parallelism: int = 0,
) -> Iterator[CandidateResult]:
    """Score candidates as Spark's CrossValidator would with the same folds, and faster.

    Folds and candidates are fitted side by side, and candidates that differ only in the number of
    trees are read off one fit (the model of 25 trees is the first 25 of the model of 50).

    Args:
        candidates: parameters by Spark's names.
        data: training rows in folds.
        learner: whose estimator is fitted.
        seed: of the estimator.
        parallelism: how many fits run at once; 0: twice as many as the session has cores.

    Yields:
        Each candidate's result as soon as its last fold is scored.
    """
    groups = _by_shared_fit(candidates, learner)
    workers = parallelism or FITS_PER_CORE * data.frame.sparkSession.sparkContext.defaultParallelism
    tasks = [(index, fold) for index in range(len(groups)) for fold in range(data.folds)]
    done: dict[int, dict[int, _FoldScores]] = {index: {} for index in range(len(groups))}
    with ThreadPoolExecutor(workers) as pool:
        fit = inheritable_thread_target(data.frame.sparkSession)(_fit_and_score)
        futures = {
            pool.submit(fit, groups[index], fold, data, learner, seed): (index, fold)
            for index, fold in tasks
        }
        try:
            for future in as_completed(futures):
                index, fold = futures[future]
                done[index][fold] = future.result()
                if len(done[index]) == data.folds:
                    yield from _results(groups[index], done.pop(index))
        finally:
            pool.shutdown(cancel_futures=True)


# Seconds of the fit, and for each candidate of a group its scores.
_FoldScores = tuple[float, list[dict[str, float]]]


def _by_shared_fit(candidates: Sequence[Parameters], learner: Learner) -> list[list[Parameters]]:
    """Group candidates that one fit can score, most trees first."""
    groups: dict[tuple[object, ...], list[Parameters]] = {}
    for candidate in candidates:
        others = sorted(item for item in candidate.items() if item[0] != learner.prefix)
        counted = learner.prefix in candidate
        groups.setdefault((counted, *others), []).append(candidate)
    return [
        sorted(group, key=lambda parameters: -parameters.get(learner.prefix or "", 0))
        for group in groups.values()
    ]


def _fit_and_score(
    group: list[Parameters], fold: int, data: FoldData, learner: Learner, seed: int
) -> _FoldScores:
    started = time.perf_counter()
    model = learner.estimator(group[0], seed).fit(data.train(fold))
    seconds = time.perf_counter() - started
    found = []
    for parameters in group:
        trees = parameters.get(learner.prefix) if learner.prefix else None
        part = model if trees is None or parameters is group[0] else first_trees(model, int(trees))
        found.append(scores(score_table(part.transform(data.validation(fold)), data.rows)))
    return seconds, found


def _results(group: list[Parameters], folds: dict[int, _FoldScores]) -> Iterator[CandidateResult]:
    seconds = sum(folds[fold][0] for fold in folds)
    for place, parameters in enumerate(group):
        scored = tuple(folds[fold][1][place] for fold in sorted(folds))
        yield CandidateResult(parameters, scored, seconds)


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
