"""Show the progress of a search: a bar in a terminal, or a line every ten seconds in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import click
from tqdm import tqdm

from common.learning.metrics import shown_score, sign
from common.search.result import CandidateFailure, CandidateResult, Outcome

# Seconds between lines in a pipe.
PAUSE = 10


class Progress:
    """Shows the number of scored candidates, the best score so far and the time left."""

    def __init__(self, step: str, total: int, metric: str, guess: float) -> None:
        """Start the display.

        Args:
            step: The step of the search.
            total: The largest number of candidates.
            metric: The metric that ranks them.
            guess: The score of guessing by that metric.
        """
        self.step, self.total, self.metric, self.guess = step, total, metric, guess
        self.started = time.monotonic()
        self.best: CandidateResult | None = None
        self.done = self.failed = 0
        self.told = self.started
        self.as_bar = sys.stderr.isatty()
        self.bar = tqdm(total=total, desc=step, disable=not self.as_bar)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def show(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.done += 1
        if isinstance(outcome, CandidateFailure):
            self.failed += 1
        else:
            self._compare(outcome)
        best = f"{self.metric}, none yet"
        if self.best:
            best = f"{self.metric} best {shown_score(self.metric, self.best.mean(self.metric))}"
        found = f"{best} (guessing {shown_score(self.metric, self.guess)})"
        found += f", {self.failed} failed" if self.failed else ""
        if self.as_bar:
            self.bar.set_postfix_str(found, refresh=False)
            self.bar.update()
        else:
            self._tell(found)

    def _tell(self, found: str) -> None:
        now = time.monotonic()
        if now - self.told < PAUSE and self.done < self.total:
            return
        self.told = now
        left = (now - self.started) / self.done * (self.total - self.done)
        click.echo(f"{self.step} {self.done}/{self.total}: {found}; {left:.0f} s left")

    def _compare(self, result: CandidateResult) -> None:
        metric = self.metric
        better = self.best is None or sign(metric) * (result.mean(metric) - self.best.mean(metric)) > 0
        self.best = result if better else self.best


@contextmanager
def show_progress(
    step: str, total: int, metric: str, guess: float
) -> Iterator[Callable[[Outcome], None]]:
    """Show a running search; yield the function that receives each outcome. See Progress."""
    with Progress(step, total, metric, guess) as progress:
        yield progress.show
