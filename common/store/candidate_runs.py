"""Candidate runs in the tracking store, written by a thread while the search goes on."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Self

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunStatus, RunTag

from common.learning.parameters import Parameters
from common.search.result import CandidateFailure, CandidateResult, Outcome
from common.search.search import TimeUp
from common.store import artifacts, tracking
from common.store.registry import FOLD_SCORES, METRIC

log = logging.getLogger(__name__)

# Tag of a candidate: the scores on one fold, whose number follows the dot.
FOLD = "workflow.fold."
CANDIDATE = "candidate"
# Metric of a candidate that stops: the number of trees at which the folds stopped.
TREES = "trees"
# Tag of a candidate copied from an earlier search: the run that it was copied from.
TAKEN_FROM = "taken_from"
# Longer messages are truncated: a tag holds at most 8,000 characters.
LONGEST_ERROR = 1000


@dataclass(frozen=True)
class TrackedCandidate:
    """A finished candidate and its run."""

    run_id: str
    result: CandidateResult


class CandidateWriter:
    """Writes each candidate as a child run as soon as it is scored, in a separate thread.

    Leaving the `with` block waits until all candidates are written. An error from the store is raised
    there, or by the next `add`.
    """

    def __init__(
        self,
        search: Run,
        constants: Mapping[str, object],
        earlier: Mapping[str, TrackedCandidate] | None = None,
    ) -> None:
        """Create a writer for the candidates of one search.

        Args:
            search: The run of the search.
            constants: Parameters logged with every candidate: learner, folds, engine.
            earlier: Candidates, by name, that a killed search finished; they are written as copies of
                its runs.
        """
        self.search, self.constants, self.earlier = search, constants, earlier or {}
        self.parent = str(search.info.run_id)
        self.run_ids: dict[str, str] = {}
        self.queue: Queue[tuple[Outcome, str] | None] = Queue()
        self.error: Exception | None = None
        self.thread = Thread(target=self._write_all, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.queue.put(None)
        self.thread.join()
        if error is None:
            self._raise()

    def add(self, outcome: Outcome) -> None:
        """Queue an outcome, to be written below the open generation or, without one, below the search."""
        self._raise()
        self.queue.put((outcome, self.parent))

    @contextmanager
    def generation(self, name: str) -> Iterator[dict[str, float]]:
        """Open the run of a generation; yield a mapping to fill with the metrics that it ends with."""
        client, search = MlflowClient(), str(self.search.info.run_id)
        run_id = _open_run(self.search, search, "generation", name, {})
        ended: dict[str, float] = {}
        self.parent = run_id
        try:
            yield ended
        except TimeUp:
            client.set_terminated(run_id)
            raise
        except BaseException:
            client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))
            raise
        finally:
            self.parent = search
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, 0) for name, value in ended.items()]
        client.log_batch(run_id, metrics=metrics)
        client.set_terminated(run_id)

    def run_id(self, name: str) -> str:
        """Return the run id of an added candidate; wait until it is written."""
        self.queue.join()
        self._raise()
        return self.run_ids[name]

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error

    def _write_all(self) -> None:
        while (item := self.queue.get()) is not None:
            if self.error is None:
                try:
                    self._write(*item)
                except Exception as error:
                    self.error = error
            self.queue.task_done()

    def _write(self, outcome: Outcome, parent: str) -> None:
        earlier = self.earlier.get(outcome.name)
        tags = {} if earlier is None else {TAKEN_FROM: earlier.run_id}
        self.run_ids[outcome.name] = log_candidate(outcome, self.search, parent, self.constants, tags)


def log_candidate(
    outcome: Outcome,
    search: Run,
    parent: str,
    constants: Mapping[str, object],
    more_tags: Mapping[str, str] | None = None,
) -> str:
    """Write one candidate as a finished or failed child run.

    Each metric has one step per fold and a last step, the one that MLflow shows, with their mean.

    Args:
        outcome: The result or failure of the candidate.
        search: The run of the search.
        parent: The id of the parent run: the search or a generation.
        constants: Parameters that all candidates share.
        more_tags: Additional tags for this candidate.

    Returns:
        The id of the child run.
    """
    params = [Param(name, str(value)) for name, value in {**constants, **outcome.parameters}.items()]
    metrics: list[Metric] = []
    status = RunStatus.FINISHED
    # Tags are cheapest for the store when they are written together with the run.
    if isinstance(outcome, CandidateFailure):
        tags = {"error": outcome.error[:LONGEST_ERROR]}
        status = RunStatus.FAILED
    else:
        metrics = _metrics(outcome)
        # Metric histories can only be read one by one; tags are read together with the run.
        tags = {f"{FOLD}{place}": json.dumps(fold) for place, fold in enumerate(outcome.folds)}
    child = _open_run(search, parent, CANDIDATE, outcome.name, {**tags, **(more_tags or {})})
    client = MlflowClient()
    client.log_batch(child, metrics=metrics, params=params)
    client.set_terminated(child, RunStatus.to_string(status))
    return child


def _open_run(search: Run, parent: str, kind: str, name: str, tags: Mapping[str, str]) -> str:
    """Open a run of a search below a parent run, and return its id."""
    of_search = {
        tracking.PARENT: parent,
        "mlflow.user": search.data.tags.get("mlflow.user", ""),
        tracking.STEP: kind,
        tracking.SEARCH: search.info.run_id,
    }
    opened = MlflowClient().create_run(
        search.info.experiment_id, run_name=name, tags={**of_search, **tags}
    )
    return str(opened.info.run_id)


def log_result(result: CandidateResult, run_id: str) -> None:
    """Log the scores over folds to a run, with the metrics that a candidate run has."""
    MlflowClient().log_batch(run_id, metrics=_metrics(result))


def _metrics(result: CandidateResult) -> list[Metric]:
    now, folds = int(time.time() * 1000), len(result.folds)
    metrics = [Metric("fit_seconds", result.fit_seconds, now, 0)]
    if result.trees is not None:
        metrics.append(Metric(TREES, result.trees, now, 0))
    for name in result.metrics:
        metrics += [
            Metric(f"val_{name}", fold[name], now, step) for step, fold in enumerate(result.folds)
        ]
        metrics.append(Metric(f"val_{name}", result.mean(name), now, folds))
        metrics.append(Metric(f"val_{name}_std", result.std(name), now, 0))
    return metrics


def fold_scores(result: CandidateResult, metric: str) -> dict[str, str]:
    """Return the tags for the metric of a search and for its winner's score on each fold."""
    return {METRIC: metric, FOLD_SCORES: json.dumps(result.by_fold(metric))}


def log_winner(
    result: CandidateResult, parameters: Parameters, metric: str, search: str, child: str
) -> None:
    """Tag the winning candidate, and log its parameters and scores to the search as well.

    Args:
        result: The winner.
        parameters: The parameters that it is fitted with on all rows.
        metric: The metric of the search.
        search: The id of the search's run.
        child: The id of the candidate's run.
    """
    client, now = MlflowClient(), int(time.time() * 1000)
    client.set_tag(child, "winner", "true")
    metrics = [Metric(f"val_{name}", result.mean(name), now, 0) for name in result.metrics]
    metrics += [Metric(f"val_{name}_std", result.std(name), now, 0) for name in result.metrics]
    client.log_batch(
        search,
        metrics=metrics,
        params=[Param(f"best_{name}", str(value)) for name, value in parameters.items()],
        tags=[RunTag(k, v) for k, v in {"winner": child, **fold_scores(result, metric)}.items()],
    )
    artifacts.log_text(json.dumps(dict(parameters), indent=2) + "\n", "best_parameters.json")
