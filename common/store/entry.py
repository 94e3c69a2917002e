"""Enter search winners into the registry: register each and let it challenge the champion."""

from collections.abc import Sequence

from mlflow.entities import Run as FinishedRun
from mlflow.entities.model_registry import ModelVersion

from common import DATASET
from common.champion.gates import check_task, failed_gates
from common.champion.verdict import Comparison, Terms
from common.learning.tasks import AUTO
from common.store import registry, tracking
from common.store.challenge import Verdict, challenge
from common.store.contest import compare_versions, measure
from common.store.ensembles import get_or_make_ensemble, is_better
from common.store.members import find_members
from common.store.step_run import Run


def name_of(name: str, candidates: str) -> str:
    """Return the name of the model that searches are registered under.

    Args:
        name: The name that was asked for; see `registry.model_name`.
        candidates: The URIs of searches, separated by commas; `auto` if there are none.
    """
    if candidates == "auto" or name != AUTO:
        return registry.model_name(name, DATASET)
    first = tracking.get_run(candidates.partition(",")[0])
    return registry.model_name(name, first.data.tags.get("dataset", DATASET))


def enter_all(run: Run, candidates: Sequence[str], name: str, terms: Terms, ensemble: bool) -> None:
    """Register the winners of searches, and let each challenge the champion.

    Args:
        run: The run of the champion step.
        candidates: The URIs of finished searches.
        name: The name of the registered model.
        terms: The terms on which a contender beats the champion.
        ensemble: Whether to also enter a vote of each learner's best winner.

    Raises:
        UserError: A candidate is not a finished search, a gate is none of its task's, or the searches
            cannot form a vote.
    """
    searches = [tracking.get_run(uri) for uri in candidates]
    # Checked for all searches first, so that an invalid one leaves nothing registered.
    for search in searches:
        registry.check_finished(search)
        check_task(terms.gates, registry.task_of(search.data.tags))
    members = find_members(searches) if ensemble else []
    for search in searches:
        _enter(run, search, name, terms)
    if members:
        vote = get_or_make_ensemble(run, members)
        if is_better(vote, run.tell):
            _enter(run, vote, name, terms)


def say(run: Run, verdict: Verdict, name: str) -> None:
    """Report the verdict on a version, and tag the run with it."""
    run.tell(f"{name} version {verdict.version} is {verdict.became}: {verdict.reason}")
    run.tag(**{f"version_{verdict.version}": verdict.became})


def _enter(run: Run, search: FinishedRun, name: str, terms: Terms) -> None:
    def compare(first: ModelVersion, second: ModelVersion) -> Comparison:
        return compare_versions(first, second, lambda: run.spark)

    failed = failed_gates(terms.gates, measure(search, terms.gates, lambda: run.spark))
    version = registry.register(search, name)
    say(run, challenge(version, name, terms, compare, failed), name)
