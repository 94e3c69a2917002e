"""How a search shows itself: a bar in a terminal, plain lines in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import click
from tqdm import tqdm

from common.learning.metrics import sign
from common.search.result import CandidateFailure, CandidateResult, Outcome


class Progress:
    """Shows how many candidates are done, the best score so far and the time left."""

    def __init__(self, step: str, total: int, metric: str, guess: float) -> None:
        """Take the search's step, how many candidates there will be at the most, and how they are scored.

        Args:
            step: of the search.
            total: candidates at the most.
            metric: that ranks them.
            guess: what guessing scores by it.
        """
        self.step, self.total, self.metric, self.guess = step, total, metric, guess
        self.started = time.monotonic()
        self.best: CandidateResult | None = None
        self.done = 0
        self.as_bar = sys.stderr.isatty()
        self.bar = tqdm(total=total, desc=step, disable=not self.as_bar)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def show(self, outcome: Outcome) -> None:
        """Count one candidate."""
        self.done += 1
        if isinstance(outcome, CandidateFailure):
            found = f"failed ({outcome.name}): {outcome.error}"
        else:
            found = f"{self.metric} {outcome.mean(self.metric):.4f} ({outcome.name})"
            self._compare(outcome)
        best = f"best {self.best.mean(self.metric):.4f}" if self.best else "none yet"
        best += f" (guessing {self.guess:.4f})"
        if self.as_bar:
            name = f" ({self.best.name})" if self.best else ""
            self.bar.set_postfix_str(f"{self.metric} {best}{name}", refresh=False)
            self.bar.update()
        else:
            left = (time.monotonic() - self.started) / self.done * (self.total - self.done)
            click.echo(f"{self.step} {self.done}/{self.total}: {found}; {best}; {left:.0f} s left")

    def _compare(self, result: CandidateResult) -> None:
        metric = self.metric
        better = self.best is None or sign(metric) * (result.mean(metric) - self.best.mean(metric)) > 0
        self.best = result if better else self.best


@contextmanager
def show_progress(
    step: str, total: int, metric: str, guess: float
) -> Iterator[Callable[[Outcome], None]]:
    """Show a search while it goes on; give what is to be told each outcome. See Progress."""
    with Progress(step, total, metric, guess) as progress:
        yield progress.show
