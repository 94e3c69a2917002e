"""Entry point load_data: leaves data/ (Parquet) and dataset.yaml."""

from dataclasses import replace

import click

from common import frames
from common.datasets import load_spec, locate, read
from common.row_hash import frame_digest
from steps.step import origin_options, step, step_command


@step_command("load_data")
@origin_options
def load_data(dataset: str, source: str) -> None:
    """Read a data set from its home, a file or the built-in sample, checked and typed."""
    with step("load_data") as run:
        spec = load_spec(dataset)
        location = locate(spec, source)
        run.input_bytes = location.size
        reached = replace(location, uri=frames.for_spark(run.spark, location.uri))
        run.log_frame("data", read(run.spark, spec, reached))
        data = run.kept_frame("data")
        run.log_dataset(spec)
        digest = frame_digest(data)
        tags = {"source": location.kind, "source_uri": location.uri, "data_digest": digest.content}
        run.tag(dataset=spec.name, **tags)
        run.log_data(spec, data, "data", digest.content, "raw")
        click.echo(f"{digest.rows:,} rows of {spec.name} from {location.uri} ({location.kind})")


if __name__ == "__main__":
    load_data()
