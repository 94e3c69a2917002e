"""Make a store that was moved or copied with its checkout use the artifacts in this folder: `make moved`.

Not an entry point: a run would be in that store.
"""

import click

from common.store.moved import make_own
from common.store.tracking import shown_store
from steps.command import command


@command("moved")
def moved() -> None:
    """Make the store's artifacts those in this folder, after it was moved or copied."""
    runs = make_own()
    for old, count in runs.items():
        click.echo(f"{shown_store()}: {count} runs have their artifacts here now, not in {old}")
    if not runs:
        click.echo(f"{shown_store()} was not moved: nothing to do")


if __name__ == "__main__":
    moved()
