"""Entry point load_data: logs data/ (Parquet) and dataset.yaml."""

from dataclasses import replace

import click

from common.data.fetch import locate
from common.data.read import read_source
from common.data.row_hash import frame_digest
from common.data.spec_yaml import load_spec
from common.store import frames
from steps.command import step_command
from steps.step import step


@step_command("load_data")
def load_data(dataset: str, source: str) -> None:
    """Read and check a data set: downloaded, from a file, or the built-in sample."""
    with step("load_data") as run:
        spec = load_spec(dataset)
        location = locate(spec, source)
        run.input_bytes = location.size
        reached = replace(location, uri=frames.for_spark(run.spark, location.uri))
        found = read_source(run.spark, spec, reached)
        run.log_frame("data", found.frame)
        data = run.kept_frame("data")
        run.log_dataset(spec)
        digest = frame_digest(data)
        tags = {"source": location.kind, "source_uri": location.uri, "data_digest": digest.content}
        run.tag(dataset=spec.name, **tags)
        run.log_data(spec, data, "data", digest.content, "raw")
        click.echo(f"{digest.rows:,} rows of {spec.name} from {location.uri} ({location.kind})")
        click.echo(f"read as {found.told}")


if __name__ == "__main__":
    load_data()
