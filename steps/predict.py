"""Entry point predict: scores a file with a registered model, into a folder of the user's choice."""

import click
import mlflow

from common.learning.metrics import told
from common.scoring.batch import Outcome, score_file
from common.store import frames, logged_data, tracking
from common.store.portable_models import find_portable_model
from steps.command import step_command
from steps.step import step

SHOWN = ("roc_auc", "f1", "accuracy")


@step_command("predict")
def predict(input: str, output: str, model: str, encoding: str, overwrite: bool) -> None:
    """Score a file on Spark; set aside records that cannot be scored, with the reason."""
    with step("predict") as run:
        given, scorer = frames.absolute_uri(input), find_portable_model(model).reading(encoding)
        source, target = frames.for_spark(run.spark, given, input), frames.writable_uri(run.spark, output)
        run.tag(model_uri=scorer.uri, model_version=scorer.version, source_uri=given, output_uri=target)
        logged_data.log_source(given, "scoring")
        outcome = score_file(run.spark, scorer, source, target, overwrite)
        counts = {"rows": outcome.rows, "rejected": outcome.rejected, "labelled": outcome.labelled}
        mlflow.log_metrics({**counts, "scored": outcome.scored})
        if outcome.alarms:
            run.tag(warnings="\n".join(outcome.alarms))
        tracking.log_scores("scored", outcome.scores, [run.id])
        _report(outcome, scorer.uri, target)


def _report(outcome: Outcome, model: str, target: str) -> None:
    click.echo(f"{outcome.scored:,} of {outcome.rows:,} rows scored by {model}: {target}")
    click.echo(f"read as {outcome.told}")
    if outcome.rejected:
        aside = "1 row" if outcome.rejected == 1 else f"{outcome.rejected:,} rows"
        where = f"cannot be scored, put aside in {outcome.rejects}"
        click.echo(f"Warning: {aside} {where}; the first: {outcome.reason}", err=True)
    if outcome.scores:
        measured = [name for name in SHOWN if name in outcome.scores]
        shown = ", ".join(told(name, outcome.scores, outcome.guess) for name in measured)
        click.echo(f"on the {outcome.labelled:,} that have a label: {shown}")
    if outcome.alarms:
        rule = "!" * 88
        click.echo("\n".join([rule, *(f"WARNING: {alarm}" for alarm in outcome.alarms), rule]), err=True)


if __name__ == "__main__":
    predict()
