"""Entry point split: logs train/, test/ (Parquet), strata.csv and dataset.yaml."""

import logging
from dataclasses import replace

import click

from common.data.quantiles import QUANTILE, with_strata
from common.data.repeated import Repeated
from common.data.stratify import label_rows, stratify
from common.learning.early_checks import check_labels
from common.store.step_run import RAREST_ROWS, REPEATED_ROWS, TRAIN_ROWS
from steps.command import step_command
from steps.step import step

log = logging.getLogger(__name__)


@step_command("split")
def split(strata: str, train_ratio: float, seed: int) -> None:
    """Split a data set into training and test rows, in exact strata."""
    with step("split") as run:
        spec = run.dataset("data")
        if strata != "auto":
            spec = replace(spec, strata=tuple(name.strip() for name in strata.split(",")))
        rows, columns = with_strata(run.frame("data"), spec.strata, spec)
        parts = stratify(rows, columns, train_ratio, seed)
        parts.check()
        run.log_frame("train", parts.train.drop(QUANTILE))
        total, labels = label_rows(run.kept_frame("train"), spec)
        check_labels(labels)
        rarest = min(labels.values(), default=total)
        repeated = Repeated.among(rows, spec.learnt)
        run.log_metrics({TRAIN_ROWS: total, RAREST_ROWS: rarest, REPEATED_ROWS: repeated.rows})
        run.log_frame("test", parts.test.drop(QUANTILE))
        run.log_table("strata.csv", parts.summary)
        run.log_dataset(spec)
        click.echo(parts.told)
        if repeated.is_worth_telling:
            log.warning("%s", repeated)
        for warning in parts.warnings:
            log.warning("%s", warning)


if __name__ == "__main__":
    split()
