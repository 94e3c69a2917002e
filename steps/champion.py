"""Entry point champion: registers winners, and gives the best of them the alias champion."""

import click
from mlflow.entities import Run as FinishedRun
from mlflow.entities.model_registry import ModelVersion

from common.champion.gates import failed_gates
from common.champion.verdict import Comparison, Terms, parse_margin
from common.errors import UserError
from common.store import registry, tracking
from common.store.challenge import Verdict, challenge, set_champion
from common.store.conf import load_gates
from common.store.contest import compare_versions, measure
from common.store.members import find_members
from steps.ensemble import get_or_make_ensemble, is_better
from steps.step import Run, origin_options, step, step_command, verdict_options


@step_command("champion")
@click.option(
    "--candidates", default="auto", help="URIs of searches, by comma; auto: all of this workflow."
)
@click.option("--name", default="income", help="Of the registered model.")
@click.option("--version", default="auto", help="A version to make champion by hand, as to go back.")
@verdict_options
@click.option(
    "--ensemble", default=False, type=bool, help="Whether the best of each learner also vote together."
)
@origin_options
def champion(
    candidates: str,
    name: str,
    version: str,
    margin: str,
    gates: str,
    ensemble: bool,
    dataset: str,
    source: str,
) -> None:
    """Register every search's winner, and let each challenge the champion."""
    registry.check_name(name)
    terms = Terms(parse_margin(margin), load_gates(gates))
    by_hand = version != "auto"
    if by_hand and ensemble:
        raise UserError(f"ensemble=true makes a version, it cannot go with version={version}")
    with step("champion") as run:
        run.tag(model=name)
        if by_hand:
            _say(run, set_champion(name, version), name)
            return
        searches = [tracking.get_run(uri) for uri in run.parameters["candidates"].split(",")]
        # Before anything is registered: one may be no search, or they may be none that can vote together.
        for search in searches:
            registry.check_finished(search)
        members = find_members(searches) if ensemble else []
        for search in searches:
            _enter(run, search, name, terms)
        if members:
            vote = get_or_make_ensemble(run, members)
            if is_better(vote):
                _enter(run, vote, name, terms)


def _say(run: Run, verdict: Verdict, name: str) -> None:
    click.echo(f"{name} version {verdict.version} is {verdict.became}: {verdict.reason}")
    run.tag(**{f"version_{verdict.version}": verdict.became})


def _enter(run: Run, search: FinishedRun, name: str, terms: Terms) -> None:
    def compare(first: ModelVersion, second: ModelVersion) -> Comparison:
        return compare_versions(first, second, lambda: run.spark)

    failed = failed_gates(terms.gates, measure(search, terms.gates, lambda: run.spark))
    version = registry.register(search, name)
    _say(run, challenge(version, name, terms, compare, failed), name)


if __name__ == "__main__":
    champion()
