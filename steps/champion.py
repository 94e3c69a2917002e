"""Entry point champion: registers winners, and gives the best of them the alias champion."""

import click
from mlflow.entities import Run as FinishedRun
from mlflow.entities.model_registry import ModelVersion

from common import champion as registry
from common import frames, tracking
from common.ensemble.members import find_members
from common.errors import UserError
from common.search.winner import pipeline_scores
from common.spark_models import load_spark_model
from steps.ensemble import get_or_make_ensemble, is_better
from steps.step import Run, origin_options, step, step_command


@step_command("champion")
@click.option(
    "--candidates", default="auto", help="URIs of searches, by comma; auto: all of this workflow."
)
@click.option("--name", default="income", help="Of the registered model.")
@click.option("--version", default="auto", help="A version to make champion by hand, as to go back.")
@click.option(
    "--ensemble", default=False, type=bool, help="Whether the best of each learner also vote together."
)
@origin_options
def champion(candidates: str, name: str, version: str, ensemble: bool, dataset: str, source: str) -> None:
    """Register every search's winner, and let each challenge the champion."""
    registry.check_name(name)
    by_hand = version != "auto"
    if by_hand and ensemble:
        raise UserError(f"ensemble=true makes a version, it cannot go with version={version}")
    with step("champion") as run:
        run.tag(model=name)
        if by_hand:
            _say(run, registry.set_champion(name, version), name)
            return
        searches = [tracking.get_run(uri) for uri in run.parameters["candidates"].split(",")]
        # Before anything is registered: they may be none that can vote together.
        members = find_members(searches) if ensemble else []
        for search in searches:
            _enter(run, search, name)
        if members:
            vote = get_or_make_ensemble(run, members)
            if is_better(vote):
                _enter(run, vote, name)


def _say(run: Run, verdict: registry.Verdict, name: str) -> None:
    click.echo(f"{name} version {verdict.version} is {verdict.alias}: {verdict.reason}")
    run.tag(**{f"version_{verdict.version}": verdict.alias})


def _enter(run: Run, search: FinishedRun, name: str) -> None:
    contender = registry.register(search, name)

    def rescore(present: ModelVersion) -> float:
        features = search.data.tags[f"{tracking.INPUT}features"]
        test = frames.read_frame(run.spark, f"{features}/test")
        # The version is the portable model; its search keeps the Spark pipeline that it comes from.
        pipeline = load_spark_model(f"runs:/{present.tags[registry.SEARCH]}/spark-model")
        return pipeline_scores(pipeline, test)[registry.METRIC]

    _say(run, registry.challenge(contender, rescore, name), name)


if __name__ == "__main__":
    champion()
