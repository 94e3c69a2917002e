"""Entry point load_data: logs data/ (Parquet) and dataset.yaml."""

from dataclasses import replace

import click
from pyspark.sql import SparkSession

from common.data.fetch import Location, check_unchanged
from common.data.infer import Found, find_spec, shown_spec
from common.data.load import read_found
from common.data.read import Source, with_missing
from common.data.row_hash import frame_digest
from common.errors import UserError
from common.learning.tasks import AUTO
from common.store import frames
from steps.command import step_command
from steps.step import step


def _read(spark: SparkSession, found: Found, nothing_said: bool) -> tuple[Found, Source]:
    """Read the rows; a file of another table than the built-in one needs its label."""
    try:
        return read_found(spark, found)
    except UserError as error:
        if not nothing_said or found.location.kind != "path":
            raise
        hint = f"it was read as dataset {found.spec.name}; for another table give label=COLUMN"
        raise UserError(f"{error} ({hint})") from None


@step_command("load_data")
def load_data(dataset: str, source: str, label: str, task: str, positive: str) -> None:
    """Read and check a data set: downloaded, from a file, or the built-in sample."""
    with step("load_data") as run:
        place = ""

        def reach(uri: str) -> str:
            nonlocal place
            # What Spark reads may be a copy.
            place = uri
            run.input_bytes = Location("path", uri, None).size
            return frames.for_spark(run.spark, uri)

        found = find_spec(lambda: run.spark, dataset, source, label, task, positive, reach)
        location = found.location
        found, rows = _read(run.spark, found, label == dataset == AUTO)
        spec = with_missing(found.spec, rows.missing)
        run.log_frame("data", rows.frame)
        # Its hash is part of the key by which later runs find these rows.
        check_unchanged(replace(location, uri=place))
        data = run.kept_frame("data")
        run.log_dataset(spec)
        digest = frame_digest(data)
        tags = {"source": location.kind, "source_uri": location.uri, "data_digest": digest.content}
        run.tag(dataset=spec.name, task=spec.task, source_digest=location.digest or "", **tags)
        run.log_data(spec, data, "data", digest.content, "raw")
        click.echo(f"{digest.rows:,} rows of {spec.name} from {location.uri} ({location.kind})")
        click.echo(f"read as {rows.told}")
        if found.told:
            click.echo("\n".join(found.told))
            click.echo(shown_spec(spec))


if __name__ == "__main__":
    load_data()
