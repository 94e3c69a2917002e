"""How a search shows itself: a bar in a terminal, plain lines in a pipe."""

import sys
import time
from collections.abc import Iterator

import click
from tqdm import tqdm

from common.metrics import sign
from common.search.result import CandidateResult


def show_progress(
    results: Iterator[CandidateResult], total: int, metric: str
) -> Iterator[CandidateResult]:
    """Pass results on, showing how many are done, the best score so far and the time left."""
    started = time.monotonic()
    best: CandidateResult | None = None
    on_terminal = sys.stderr.isatty()
    with tqdm(total=total, desc="candidates", disable=not on_terminal) as bar:
        for done, result in enumerate(results, start=1):
            better = best is None or sign(metric) * (result.mean(metric) - best.mean(metric)) > 0
            best = result if better else best
            assert best is not None
            bar.set_postfix_str(f"best {metric} {best.mean(metric):.4f} ({best.name})", refresh=False)
            bar.update()
            if not on_terminal:
                left = (time.monotonic() - started) / done * (total - done)
                click.echo(
                    f"candidate {done}/{total}: {metric} {result.mean(metric):.4f} ({result.name}); "
                    f"best {best.mean(metric):.4f}; {left:.0f} s left"
                )
            yield result
