"""Candidates of earlier searches, to resume a killed search or to warm-start a genetic one."""

import io
import json
import logging

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from common.data.target import BINARY
from common.errors import UserError
from common.learning.learners import LEARNER, Learner
from common.learning.parameters import Parameters
from common.learning.tasks import TASKS
from common.search.result import CandidateResult
from common.store import artifacts, liveness, tracking
from common.store.candidate_runs import CANDIDATE, FOLD, TREES, TrackedCandidate
from common.store.registry import FOLDS_DIGEST

log = logging.getLogger(__name__)

# Tag of an abandoned search: the search that reuses its candidates.
TAKEN_UP_BY = "taken_up_by"
# Tags of a search that determine its candidates' scores.
SAME = ("learner", "engine", "seed", "folds", FOLDS_DIGEST)


def unfinished_candidates(search: Run, learner: Learner) -> dict[str, TrackedCandidate]:
    """Return the finished candidates of killed or failed searches with the same key, by name.

    The candidates also stay in their own search, so a search wrongly taken for dead loses nothing. If the
    same search runs elsewhere, wait until it is known to be alive or dead.

    Args:
        search: The run of the search to resume, with the tags SAME.
        learner: The learner, for the types of the parameters.
    """
    experiment, own = search.info.experiment_id, search.info.run_id
    key = {tracking.KEY: search.data.tags[tracking.KEY]}
    for living in liveness.wait_for_verdicts(experiment, key, own):
        log.warning("the same search is already running as run %s: this one does not wait for it", living)
    found: dict[str, TrackedCandidate] = {}
    for status in ("KILLED", "FAILED"):
        for dead in tracking.find_runs(key, experiment, status):
            if dead.info.run_id != own and not _was_finished(dead):
                found |= _candidates_of(dead, search, learner)
    return found


def _was_finished(dead: Run) -> bool:
    """Tell whether another search reused a dead search's candidates and finished."""
    heir = dead.data.tags.get(TAKEN_UP_BY)
    run = tracking.find_run(heir) if heir else None
    return run is not None and run.info.status == "FINISHED"


def _candidates_of(dead: Run, search: Run, learner: Learner) -> dict[str, TrackedCandidate]:
    """Return the finished candidates of a dead search if they were scored as this search scores."""
    mark = {tracking.SEARCH: dead.info.run_id, tracking.STEP: CANDIDATE}
    runs = tracking.find_finished(mark, search.info.experiment_id, most=None)
    ours, theirs = ({name: run.data.tags.get(name) for name in SAME} for run in (search, dead))
    if not runs:
        return {}
    if ours != theirs:
        apart = ", ".join(f"{name} {theirs[name]}" for name in SAME if theirs[name] != ours[name])
        count = f"{len(runs)} candidate{'s' * (len(runs) != 1)}"
        log.warning("not reusing %s of run %s: scored with %s", count, dead.info.run_id, apart)
        return {}
    MlflowClient().set_tag(dead.info.run_id, TAKEN_UP_BY, search.info.run_id)
    results = {run.info.run_id: _read_candidate(run, learner) for run in runs}
    wanted = int(ours["folds"] or 0)
    wanted_metrics = set(TASKS[search.data.tags.get("task", BINARY)].metrics)
    return {
        result.name: TrackedCandidate(run_id, result)
        for run_id, result in results.items()
        if len(result.folds) == wanted and all(set(fold) == wanted_metrics for fold in result.folds)
    }


def _read_candidate(run: Run, learner: Learner) -> CandidateResult:
    params, tags = run.data.params, run.data.tags
    kept = {name: kind for name, kind in learner.parameters.items() if name in params}
    parameters: Parameters = {name: kind.parse(params[name]) for name, kind in kept.items()}
    folds = sorted((name for name in tags if name.startswith(FOLD)), key=lambda n: int(n[len(FOLD) :]))
    scored = tuple(json.loads(tags[name]) for name in folds)
    metrics = run.data.metrics
    trees = int(metrics[TREES]) if TREES in metrics else None
    return CandidateResult(parameters, scored, metrics["fit_seconds"], trees=trees)


def best_of_search(uri: str, most: int, learner: Learner) -> list[Parameters]:
    """Return the best candidates of a finished search, best first.

    Args:
        uri: The URI of the search, or `none` for an empty list.
        most: The largest number of candidates to return.
        learner: The learner, for the types of the parameters.

    Raises:
        UserError: The search does not exist, or used another learner.
    """
    if uri == "none":
        return []
    run = tracking.get_run(uri)
    if run.data.tags.get("learner") != learner.name:
        raise UserError(
            f"warm_start must be none, auto or a search with learner {learner.name!r}, got {uri!r}"
        )
    table = pd.read_csv(io.StringIO(artifacts.read_text(f"{uri}/candidates.csv")), dtype=str)
    if LEARNER in table:
        table = table[table[LEARNER] == learner.name]
    table = table[table["fit_seconds"].notna()].head(most)
    table = table.dropna(axis="columns", how="all")
    kinds = {name: kind for name, kind in learner.parameters.items() if name in table.columns}
    return [{name: kind.parse(row[name]) for name, kind in kinds.items()} for _, row in table.iterrows()]
