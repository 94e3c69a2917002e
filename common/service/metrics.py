"""The figures of a service, in Prometheus's format; with several workers, of all of them together."""

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# A folder in which workers share their figures; prometheus_client reads this variable on import.
SHARED = "PROMETHEUS_MULTIPROC_DIR"

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counts requests, and what a model scores."""

    def __init__(
        self, categories: Iterable[str] = (), labels: Iterable[str] = (), may_lack: Iterable[str] = ()
    ) -> None:
        """Begin at zero.

        Args:
            categories: Names of the columns of categories.
            labels: The labels that may be predicted.
            may_lack: Names of the columns that may lack values.
        """
        self._requests = Counter("model_requests", "Requests to /invocations.", ["way", "status"])
        self._errors = Counter("model_errors", "Requests that got an error or no answer.", ["kind"])
        self._seconds = Histogram("model_request_seconds", "Time to answer.", buckets=SECONDS)
        self._rows = Counter("model_rows", "Records that were scored.")
        unseen = "Values without a feature of their own: training did not see them, or too seldom."
        self._unseen = _by("model_unseen_categories", unseen, "column", categories)
        missing = "Missing values, by column that lacks some in the data set too."
        self._missing = _by("model_missing_values", missing, "column", may_lack)
        self._predicted = _by("model_predictions", "Records by predicted label.", "label", labels)
        self._asked: dict[tuple[str, int], Any] = {}

    def asked(self, way: str, status: int, kind: str, seconds: float) -> None:
        """Count a request: who answered it, with what status and error, and how long it took."""
        counter = self._asked.get((way, status))
        if counter is None:
            counter = self._asked[way, status] = self._requests.labels(way, str(status))
        counter.inc()
        self._seconds.observe(seconds)
        if kind:
            self._errors.labels(kind).inc()

    def scored(
        self,
        rows: int,
        unseen: Mapping[str, int],
        predicted: Mapping[str, int],
        missing: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Count records that were scored.

        Args:
            rows: Their number.
            unseen: Number of values that training never saw, by column.
            predicted: Number of records by predicted label.
            missing: Number of missing values, by column; models of earlier versions do not count them.
        """
        self._rows.inc(rows)
        every = (self._unseen, unseen), (self._predicted, predicted), (self._missing, missing)
        for counters, counts in every:
            for name, count in counts.items():
                if count:
                    counters[name].inc(count)

    def text(self) -> tuple[bytes, str]:
        """Return all figures as text, and the type of this text."""
        registry = REGISTRY
        if SHARED in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST


def _by(name: str, what: str, label: str, values: Iterable[str]) -> dict[str, Any]:
    counter = Counter(name, what, [label])
    return {value: counter.labels(value) for value in values}
