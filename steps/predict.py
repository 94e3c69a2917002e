"""Entry point predict: scores a file with a registered model, into a folder of the user's choice."""

import click
import mlflow
from pyspark.sql import DataFrame

from common.learning.tasks import shown_scores
from common.scoring.batch import Outcome, score_file
from common.scoring.kept_model import KeptModel
from common.store import frames, logged_data, tracking, workflow_runs
from common.store.portable_models import find_portable_model
from steps.command import step_command
from steps.step import step


@step_command("predict")
def predict(input: str, output: str, model: str, encoding: str, overwrite: bool) -> None:
    """Score a file on Spark; set aside records that cannot be scored, with the reason."""
    with step("predict") as run:
        given, scorer = frames.absolute_uri(input), find_portable_model(model).reading(encoding)
        source, target = frames.for_spark(run.spark, given, input), frames.writable_uri(run.spark, output)
        run.tag(model_uri=scorer.uri, model_version=scorer.version, source_uri=given, output_uri=target)
        logged_data.log_source(given, "scoring")

        def train() -> DataFrame | None:
            return frames.frame_if_there(run.spark, workflow_runs.features_of(scorer.run_id), "train")

        outcome = score_file(run.spark, scorer, source, target, overwrite, train)
        measured = outcome.measured
        counts = {"rows": outcome.rows, "rejected": outcome.rejected, "labelled": measured.labelled}
        mlflow.log_metrics({**counts, "scored": outcome.scored})
        if outcome.alarms:
            run.tag(warnings="\n".join(outcome.alarms))
        tracking.log_scores("scored", measured.scores, [run.id])
        _report(outcome, scorer, target)


def _report(outcome: Outcome, model: KeptModel, target: str) -> None:
    click.echo(f"{outcome.scored:,} of {outcome.rows:,} rows scored by {model.uri}: {target}")
    click.echo(f"read as {outcome.told}")
    if outcome.rejected:
        aside = "1 row" if outcome.rejected == 1 else f"{outcome.rejected:,} rows"
        where = f"cannot be scored, put aside in {outcome.rejects}"
        click.echo(f"Warning: {aside} {where}; the first: {outcome.reason}", err=True)
    for note in outcome.notes:
        click.echo(note)
    measured = outcome.measured
    if measured.scores:
        shown = shown_scores(model.target.task, measured.scores, measured.guess)
        click.echo(f"on the {measured.labelled:,} that have a label: {shown}")
        if outcome.learnt:
            click.echo(outcome.learnt)
    if outcome.alarms:
        rule = "!" * 88
        click.echo("\n".join([rule, *(f"WARNING: {alarm}" for alarm in outcome.alarms), rule]), err=True)


if __name__ == "__main__":
    predict()
