"""Print the folder of a model, for `serve`, which imports the server meanwhile.

Not an entry point: it has no run.
"""

import shutil
from pathlib import Path

import click

from common.machine import copies
from common.store.artifacts import model_folder
from steps.command import command


@command("find_model")
@click.argument("model")
@click.argument("target")
def find_model(model: str, target: str) -> None:
    """Print the folder of MODEL; one that is not on this machine is first copied below TARGET."""
    folder = model_folder(model)
    if copies.is_copy(folder):
        folder = Path(shutil.move(folder, target))
    click.echo(folder)


if __name__ == "__main__":
    find_model()
