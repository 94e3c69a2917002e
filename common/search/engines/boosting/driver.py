"""The engine that fits boosted trees with XGBoost, in Spark tasks, on a matrix that is broadcast once."""

import gc
import math
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, pairwise
from queue import SimpleQueue
from threading import Thread

from pyspark import Broadcast
from pyspark.sql import functions as F

from common.learning.boosting_rule import SPARK, BoostingRule, Fit, FitResult
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.learning.tasks import TASKS
from common.machine.threads import beside, inheriting
from common.search.engines.boosting.arriving import Arriving
from common.search.engines.boosting.matrix import WHOLE, FoldMatrix, Samples
from common.search.engines.boosting.rows import ROW, arrow_columns, draw_samples, fold_matrix
from common.search.engines.boosting.spark_trees import WholeFit
from common.search.engines.boosting.thresholds import sampled_rows
from common.search.engines.collect import collect_in_parts, most_bytes, part_bytes
from common.search.engines.shared_fit import shared_fits
from common.search.folds import FoldData
from common.search.result import Outcome

# A task has an overhead of 30 ms, so it should not be short. But results arrive only when a task ends,
# and other cores wait for the last task. About half a second of work per task is a good compromise; it
# corresponds to this many values of the matrix.
VALUES_PER_TASK = 2_000_000
TASKS_PER_CORE = 4


class BoostingEngine:
    """Scores candidates by the same rule as Spark's estimator, but hundreds of times faster.

    The rows are collected as a sparse matrix and broadcast once. Each task of a Spark job fits several
    models, one after another on one core. Thresholds come from the rows that Spark itself would sample
    with the same seed.
    """

    name = "boosting"

    def __init__(self, data: FoldData, learner: Learner, seed: int, parallelism: int = 0) -> None:
        """Collect the rows and broadcast them.

        Args:
            data: The training rows in folds.
            learner: A learner with a boosting rule.
            seed: Seed of the sampling for thresholds, and of the rule's random draws.
            parallelism: Number of concurrent fits; 0 for the number of the session's cores.
        """
        rule = learner.fitting(data.target.task).boosting
        assert rule is not None, "a learner without a rule has no boosting engine"
        self.data, self.learner, self.seed = data, learner, seed
        self.rule = rule
        self.context = data.frame.sparkSession.sparkContext
        self.parallelism = parallelism
        warm = self._start_workers()
        self.numbered = data.frame.withColumn(ROW, F.monotonically_increasing_id())
        sizes, (most, _) = part_bytes(data), most_bytes(self.context)
        matrix, self.row_ids = fold_matrix(collect_in_parts(arrow_columns(self.numbered), sizes, most))
        # The driver keeps no more of it: it is in a file, from which the workers have it.
        self.sent_matrix: Broadcast[FoldMatrix] = self.context.broadcast(matrix)
        self.fold, self.weight, self.stored = matrix.fold, matrix.weight, matrix.features().stored
        self.sent_samples: dict[int, Broadcast[Samples]] = {}
        warm.result()

    def evaluate(self, candidates: Sequence[Parameters]) -> Iterator[Outcome]:
        """Score candidates in one Spark job; with a limit on concurrent fits, in one job per task.

        Yields:
            Each candidate's outcome as soon as the task with its last fold has ended.
        """
        groups = shared_fits(candidates, self.learner)
        fits = []
        for number, group in enumerate(groups):
            rules = [self.rule(parameters) for parameters in group.candidates]
            if rules[0].stopping:
                group.ends = rules[0].ends
            trees = group.ends or tuple(rule.trees for rule in rules)
            for fold in range(self.data.folds):
                fits.append(Fit(number, fold, rules[0], trees, self.seed, self.data.target))
        self._send_samples([fit.rule for fit in fits])
        for result in self._run(self._tasks(fits)):
            group = groups[result.group]
            if result.error:
                group.errors[result.fold] = result.error
            else:
                group.folds[result.fold] = (result.seconds, result.scores)
            yield from group.outcomes(self.data.folds, TASKS[self.data.target.task].loss)

    def fit_whole(self, rule: BoostingRule) -> WholeFit:
        """Fit a model by Spark's rule on all rows, in one task, and return its trees in Spark's terms."""
        assert rule.kind == SPARK, "other rules have no trees in Spark's terms"
        samples = self._samples(sampled_rows(rule.max_bins), [WHOLE])
        sent, sent_samples = self.sent_matrix, self.context.broadcast(samples)
        task, seed = self.data.target.task, self.seed

        def fit(_: int) -> WholeFit:
            from common.search.engines.boosting.whole_fit import fit_whole

            return fit_whole(rule, task, seed, sent.value, sent_samples.value)

        (found,) = self.context.parallelize([0], 1).map(fit).collect()
        sent_samples.unpersist()
        return found

    def _tasks(self, fits: Sequence[Fit]) -> list[list[Fit]]:
        """Distribute fits over tasks; all fits of a task train on the same matrix.

        A candidate's fits run close together, since it is stored only when its last fold is scored.
        """
        size = self._fits_per_task(len(fits))
        tasks = []
        for key, sharing in groupby(sorted(fits, key=lambda fit: fit.matrix_key), lambda f: f.matrix_key):
            alike = list(sharing)
            parts = math.ceil(len(alike) / size)
            bounds = [len(alike) * part // parts for part in range(parts + 1)]
            for part, (start, end) in enumerate(pairwise(bounds)):
                tasks.append((key[:2], part, key[2], alike[start:end]))
        return [task for *_, task in sorted(tasks, key=lambda task: task[:3])]

    def _run(self, tasks: Sequence[Sequence[Fit]]) -> Iterator[FitResult]:
        """Run tasks and yield their results as the tasks end.

        All tasks go into one job. If the number of concurrent fits is limited, each task is a job of its
        own, and that number of jobs run concurrently.
        """
        arriving: SimpleQueue[FitResult | Exception | None] = SimpleQueue()
        results = self.context.accumulator([], Arriving(arriving))
        sent, samples = self.sent_matrix, dict(self.sent_samples)

        def fit_chunk(chunk: Sequence[Fit]) -> None:
            from common.search.engines.boosting.fit import run_fits

            known = {size: sample.value for size, sample in samples.items()}
            results.add(list(run_fits(chunk, sent.value, known)))

        # Not a group: these jobs belong to the step's, which whoever ends the step cancels.
        tag = f"search-{uuid.uuid4()}"

        def run(job: Sequence[Sequence[Fit]]) -> None:
            self.context.addJobTag(tag)
            self.context.parallelize(job, len(job)).foreach(fit_chunk)

        def run_all() -> None:
            try:
                for done in [pool.submit(job) for job in jobs]:
                    done.result()
                arriving.put(None)
            except Exception as error:
                arriving.put(error)

        pool = ThreadPoolExecutor(self.parallelism or 1)
        session, of_jobs = self.data.frame.sparkSession, [[task] for task in tasks]
        jobs = [inheriting(session, run, job) for job in (of_jobs if self.parallelism else [tasks])]
        Thread(target=run_all, daemon=True).start()
        try:
            while (item := arriving.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            self.context.cancelJobsWithTag(tag)
            pool.shutdown()

    def _fits_per_task(self, fits: int) -> int:
        at_once = self.parallelism or self.context.defaultParallelism
        spread = math.ceil(fits / (TASKS_PER_CORE * at_once))
        return max(1, min(spread, VALUES_PER_TASK // max(self.stored, 1)))

    def _start_workers(self) -> Future[None]:
        """Have the workers import what they need while the rows are being collected, one per core."""

        def load(_: int) -> None:
            import common.search.engines.boosting.fit  # noqa: F401

            # A worker collects garbage after every task; without this it would scan all imported modules
            # (70 ms).
            gc.freeze()

        cores = self.context.defaultParallelism
        work = self.context.parallelize(range(cores), cores)
        return beside(self.data.frame.sparkSession, work.foreach, load)

    def _send_samples(self, rules: Sequence[BoostingRule]) -> None:
        wanted = {sampled_rows(rule.max_bins) for rule in rules if rule.kind == SPARK}
        for size in sorted(wanted - self.sent_samples.keys()):
            self.sent_samples[size] = self.context.broadcast(self._samples(size, range(self.data.folds)))

    def _samples(self, size: int, folds: Sequence[int]) -> Samples:
        return draw_samples(self.numbered, self.fold, self.weight, self.row_ids, size, self.seed, folds)
