"""Show the progress of a search: a bar in a terminal, or a line every ten seconds in a pipe."""

import sys
import time
from collections.abc import Container
from types import TracebackType
from typing import Self

import click
from tqdm import tqdm

from common.learning.metrics import shown_score, sign
from common.search.result import CandidateFailure, CandidateResult, Outcome

# Seconds between lines in a pipe.
PAUSE = 10
# Seconds left from which a limit is worth a word.
LONG = 1800
# A bar's own estimate knows of no limit, so the words after it have the time left.
BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


def _shown(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class Progress:
    """Shows the number of scored candidates, the best score so far and the time left; last, the end."""

    def __init__(
        self,
        step: str,
        total: int,
        metric: str,
        guess: float,
        minutes: float = 0,
        known: Container[str] = (),
    ) -> None:
        """Start the display.

        Args:
            step: The step of the search.
            total: The largest number of candidates.
            metric: The metric that ranks them.
            guess: The score of guessing by that metric.
            minutes: Time after which no further candidate is scored; 0 for no limit.
            known: Names of candidates that need not be scored again, and so take no time.
        """
        self.step, self.total, self.metric, self.guess = step, total, metric, guess
        self.limit, self.known = 60 * minutes, known
        self.started = time.monotonic()
        self.best: CandidateResult | None = None
        self.done = self.failed = self.reused = 0
        self.told, self.advised = self.started, minutes > 0
        self.as_bar = sys.stderr.isatty()
        self.bar = tqdm(total=total, desc=step, disable=not self.as_bar, bar_format=BAR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def show(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.done += 1
        self.reused += outcome.name in self.known
        if isinstance(outcome, CandidateFailure):
            self.failed += 1
        else:
            self._compare(outcome)
        now = time.monotonic()
        if self.as_bar:
            self.bar.set_postfix_str(self._found() + self._left(now), refresh=False)
            self.bar.update()
        elif now - self.told >= PAUSE and self.done < self.total:
            self.told = now
            click.echo(f"{self.step} {self.done}/{self.total}: {self._found()}{self._left(now)}")

    def end(self) -> None:
        """Say how the search ended; it scores no further candidate."""
        if self.as_bar:
            self.bar.set_postfix_str(self._found("none"))
            self.bar.close()
        else:
            seconds = round(time.monotonic() - self.started)
            took = f"{seconds} s" if seconds else "less than 1 s"
            scored = f"{self.done} candidate{'s' * (self.done != 1)}"
            click.echo(f"{self.step} ended after {scored}, {took}: {self._found('none')}")

    def _found(self, without: str = "none yet") -> str:
        best = f"{self.metric}, {without}"
        if self.best:
            best = f"{self.metric} best {shown_score(self.metric, self.best.mean(self.metric))}"
        found = f"{best} (guessing {shown_score(self.metric, self.guess)})"
        return found + (f", {self.failed} failed" if self.failed else "")

    def _left(self, now: float) -> str:
        """Say how much time is left by the candidates and by the limit; nothing if neither tells."""
        spent, scored = now - self.started, self.done - self.reused
        ends = [spent / scored * (self.total - self.done)] if scored else []
        ends += [max(self.limit - spent, 0)] if self.limit else []
        if not ends:
            return ""
        if min(ends) >= LONG and not self.advised:
            self.advised = True
            tqdm.write(
                f"{self.step} takes about {_shown(min(ends))}: minutes=30 would end it after half an "
                "hour with the best so far; if it is interrupted, the same command goes on"
            )
        return f"; {_shown(min(ends))} left"

    def _compare(self, result: CandidateResult) -> None:
        metric = self.metric
        better = self.best is None or sign(metric) * (result.mean(metric) - self.best.mean(metric)) > 0
        self.best = result if better else self.best
