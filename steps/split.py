"""Entry point split: leaves train/, test/ (Parquet), strata.csv and dataset.yaml."""

import logging

import click

from common.data.stratify import stratify
from steps.step import OPEN_UNIT, origin_options, step, step_command

log = logging.getLogger(__name__)


@step_command("split")
@click.option("--data", default="auto", help="URI of a data set; auto: this workflow's load_data.")
@click.option(
    "--strata",
    default="auto",
    help="Columns to keep in proportion, by comma; auto: the data set's.",
)
@click.option(
    "--train-ratio",
    default=0.7,
    type=OPEN_UNIT,
    help="Share of each stratum that goes to train.",
)
@click.option("--seed", default=42, type=int, help="Changes which rows go where, never how many.")
@origin_options
def split(data: str, strata: str, train_ratio: float, seed: int, dataset: str, source: str) -> None:
    """Split a data set in exact strata."""
    with step("split") as run:
        spec = run.dataset("data")
        columns = spec.strata if strata == "auto" else [name.strip() for name in strata.split(",")]
        parts = stratify(run.frame("data"), columns, train_ratio, seed)
        run.log_frame("train", parts.train)
        run.log_frame("test", parts.test)
        run.log_table("strata.csv", parts.summary)
        run.log_dataset(spec)
        click.echo(parts.summary.to_string(index=False))
        for stratum in parts.one_sided:
            log.warning("stratum %s is too small to have rows on both sides", stratum)


if __name__ == "__main__":
    split()
