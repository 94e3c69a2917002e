"""Entry point describe_table: shows what each column of a table is taken for, and writes it as YAML."""

import click

from common.data.infer import find_spec, shown_spec, write_spec
from common.data.load import read_found
from common.data.read import with_missing
from common.machine.user_path import user_path
from common.store import frames
from steps.command import step_command
from steps.step import step


@step_command("describe_table")
def describe_table(
    dataset: str, source: str, label: str, task: str, positive: str, output: str, overwrite: bool
) -> None:
    """Show the inferred spec of a table, and write it to a file to edit and give back as dataset=FILE."""
    with step("describe_table") as run:
        found = find_spec(
            lambda: run.spark,
            *(dataset, source, label, task, positive),
            reach=lambda uri: frames.for_spark(run.spark, uri),
        )
        told = list(found.told)
        if found.location.kind == "path" or found.told:
            # Only a reading of all rows tells what is wrong with one, and of the files how they are read.
            found, rows = read_found(run.spark, found)
            found = found._replace(spec=with_missing(found.spec, rows.missing))
            told = [f"read as {rows.told}", *found.told]
        click.echo(shown_spec(found.spec))
        click.echo("\n".join(told))
        if output != "none":
            write_spec(found.spec, user_path(output), overwrite)
            click.echo(f"written to {output}: edit it, and give it back with dataset={output}")


if __name__ == "__main__":
    describe_table()
