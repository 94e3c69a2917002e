"""Open the run of a step's command."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from common.store.step_run import Run, start_step


@contextmanager
def step(name: str) -> Iterator[Run]:
    """Open the run of a step with the parameters of its command; see common.store.step_run."""
    with start_step(name, click.get_current_context().params, click.echo) as run:
        yield run
