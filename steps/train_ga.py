"""Entry point train_ga: the genetic search."""

import click

from common.errors import UserError
from steps.step import StepCommand


@click.command(
    "train_ga", cls=StepCommand, context_settings={"ignore_unknown_options": True}, hidden=True
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train_ga(arguments: tuple[str, ...]) -> None:
    """Search by a genetic algorithm: not there yet."""
    raise UserError("train_ga is not available yet: search a grid with the entry point train_grid")


if __name__ == "__main__":
    train_ga()
