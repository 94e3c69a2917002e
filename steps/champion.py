"""Entry point champion: registers winners, and gives the best of them the alias champion."""

import click
from mlflow.entities.model_registry import ModelVersion

from common import champion as registry
from common import tracking
from common.search.winner import pipeline_scores
from steps.step import Run, origin_options, step, step_command


@step_command("champion")
@click.option(
    "--candidates", default="auto", help="URIs of searches, by comma; auto: all of this workflow."
)
@click.option("--name", default="income", help="Of the registered model.")
@click.option("--version", default="auto", help="A version to make champion by hand, as to go back.")
@origin_options
def champion(candidates: str, name: str, version: str, dataset: str, source: str) -> None:
    """Register every search's winner, and let each challenge the champion."""
    registry.check_name(name)
    with step("champion") as run:
        if version != "auto":
            verdicts = [registry.set_champion(name, version)]
        else:
            verdicts = [_enter(run, uri, name) for uri in run.parameters["candidates"].split(",")]
        for verdict in verdicts:
            click.echo(f"{name} version {verdict.version} is {verdict.alias}: {verdict.reason}")
        run.tag(**{f"version_{verdict.version}": verdict.alias for verdict in verdicts})


def _enter(run: Run, uri: str, name: str) -> registry.Verdict:
    search = tracking.get_run(uri)
    contender = registry.register(search, name)

    def rescore(present: ModelVersion) -> float:
        features = search.data.tags[f"{tracking.INPUT}features"]
        test = tracking.read_frame(run.spark, f"{features}/test")
        # The version is the portable model; its search keeps the Spark pipeline that it comes from.
        pipeline = tracking.load_spark_model(f"runs:/{present.tags[registry.SEARCH]}/spark-model")
        return pipeline_scores(pipeline, test)[registry.METRIC]

    return registry.challenge(contender, rescore, name)


if __name__ == "__main__":
    champion()
