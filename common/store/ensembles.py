"""The ensemble that champion builds: a vote of each learner's best model, in a nested run."""

import json
from collections.abc import Sequence

import mlflow
from mlflow.entities import Run as FinishedRun

from common.ensemble.member import Member
from common.ensemble.pipeline import vote_pipeline
from common.ensemble.vote import Vote, weigh
from common.learning.metrics import shown_score, sign
from common.learning.threshold import HALF, OF_THRESHOLD
from common.search.winner import pipeline_table
from common.store import candidate_runs, kept, liveness, tracking
from common.store.get_or_run import step_key
from common.store.pipelines import Made, log_pipeline, log_sides
from common.store.registry import FOLD_SCORES, METRIC, THRESHOLD_SCORES
from common.store.searches import search_data
from common.store.spark_models import load_spark_model
from common.store.step_run import Run, Tell
from common.workflow.declaration import STEPS

NAME, WEIGHT = "ensemble", "weight_"
ALONE = "_alone"


def get_or_make_ensemble(champion: Run, members: Sequence[Member]) -> FinishedRun:
    """Return a finished run of a vote of these members: an existing run, or else a new one."""
    experiment = champion.active.info.experiment_id
    searches = ",".join(sorted(member.run_id for member in members))
    tags = {tracking.STEP: NAME, tracking.KEY: step_key(NAME, {"members": searches})}
    for done in tracking.find_finished(tags, experiment, most=None):
        if kept.has_artifacts(done.info.run_id, STEPS[NAME].outputs):
            return done
    features = members[0].features
    with mlflow.start_run(run_name=NAME, nested=True) as active:
        mlflow.set_tags({**tags, f"{tracking.INPUT}features": features})
        with liveness.Heartbeat(active.info.run_id, experiment):
            fill_ensemble(Run(NAME, active, {"features": features}, champion.tell), members)
        kept.note_kept(active.info.run_id, STEPS[NAME].outputs)
    return tracking.get_run(active.info.run_id)


def fill_ensemble(run: Run, members: Sequence[Member]) -> None:
    """Choose the weights of a vote on the folds, and log the vote as a search logs its winner."""
    folds = members[0].folds
    data = search_data(run, folds, members[0].balance)
    names = ", ".join(member.learner.name for member in members)
    run.tell(f"ensemble of {names}: {len(members) * folds} fits, each on all folds but one")
    vote = weigh(members, data.folds)
    _log_vote(run, vote)
    pipelines = [load_spark_model(f"runs:/{member.run_id}/spark-model") for member in members]
    pipeline = vote_pipeline(pipelines, vote.weights)
    sides = {"train": run.frame("features", "train"), "test": data.test}
    target = data.spec.target
    tables = {side: pipeline_table(pipeline, frame, target) for side, frame in sides.items()}
    log_sides(tables, [run.id])
    log_pipeline(run, pipeline, data, tables["test"], Made(NAME, vote.result.parameters))
    run.log_dataset(data.spec)


def _log_vote(run: Run, vote: Vote) -> None:
    candidate_runs.log_result(vote.result, run.id)
    best, alone = vote.best_alone
    mlflow.log_metric(f"val_{vote.metric}{ALONE}", alone)
    mlflow.log_params({WEIGHT + name: weight for name, weight in vote.result.parameters.items()})
    weights = {m.run_id: weight for m, weight in zip(vote.members, vote.weights, strict=True)}
    run.tag(learner=NAME, members=json.dumps(weights), best_alone=best, folds=len(vote.result.folds))
    tags = candidate_runs.fold_scores(vote.result, vote.metric)
    # A vote predicts at one half.
    run.tag(**tags, **({THRESHOLD_SCORES: tags[FOLD_SCORES]} if vote.metric in OF_THRESHOLD else {}))
    table = vote.table()
    run.log_table("members.csv", table)
    run.tell(table.drop(columns="search").to_string(index=False))


def is_better(ensemble: FinishedRun, tell: Tell) -> bool:
    """Tell whether a vote scores better over the folds than its best member; report it with `tell`."""
    metrics, tags = ensemble.data.metrics, ensemble.data.tags
    metric = tags[METRIC]
    vote, alone = metrics[f"val_{metric}"], metrics[f"val_{metric}{ALONE}"]
    better = sign(metric) * (vote - alone) > 0
    weights = [key for key in sorted(ensemble.data.params) if key.startswith(WEIGHT)]
    names = ", ".join(key.removeprefix(WEIGHT) for key in weights)
    guess = metrics[f"guess_val_{metric}"]
    # Its members' own thresholds come into the contest.
    half = f" at {HALF}" if metric in OF_THRESHOLD else ""

    def shown(value: float) -> str:
        return shown_score(metric, value, 5)

    found = (
        f"{metric} {shown(vote)} (guessing {shown(guess)}) over folds{half}, "
        f"{'' if better else 'not '}better than the {shown(alone)} of {tags['best_alone']} alone"
    )
    test, guess_test = metrics[f"test_{metric}"], metrics[f"guess_test_{metric}"]
    on_test = f"{shown(test)} (guessing {shown(guess_test)}) on the test rows"
    tell(f"ensemble of {names}: {found}; {on_test}" + ("" if better else ": not registered"))
    return better
