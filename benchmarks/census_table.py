"""Count the table behind the built-in sample in the real file: python -m benchmarks.census_table FILE."""

import json

import click
import pandas as pd

from common.data.census_sample import count_table
from common.data.spec_yaml import CONF, load_spec


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def census_table(file: str) -> None:
    """Write the table of counts from which the adult data set's sample is drawn."""
    spec = load_spec("adult")
    frame = pd.read_csv(file, names=spec.names, skipinitialspace=True, keep_default_na=False)
    assert spec.sample is not None
    target = CONF / spec.sample
    table = count_table(frame, label=spec.label, root="sex")
    target.write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    click.echo(f"{target}: {target.stat().st_size / 1024:.0f} KiB")
    for column in table["columns"]:
        click.echo(f"  {column['name']} given {column['parent'] or 'the label alone'}")


if __name__ == "__main__":
    census_table()
