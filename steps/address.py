"""Print the address of the run table in MLflow's UI, whose first page shows traces and judges."""

import click

from common.store.experiment import find_experiment, table_address
from common.store.opening import open_store
from steps.command import command


@command("address")
@click.argument("ui")
def address(ui: str) -> None:
    """Print the address of the run table in the UI that is served at UI."""
    open_store()
    click.echo(f"the runs are at {table_address(find_experiment(), ui)}")


if __name__ == "__main__":
    address()
