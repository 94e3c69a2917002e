import json
import time

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from common.errors import UserError
from common.learning.learners import get_learner
from common.learning.metrics import METRICS
from common.search.result import CandidateFailure, CandidateResult, candidates_table
from common.search.search import TimeUp
from common.store import artifacts, candidate_runs, earlier_candidates, liveness, tracking
from common.store.candidate_runs import CandidateWriter, TrackedCandidate

GBT = get_learner("gbt")
FOLDS = (dict.fromkeys(METRICS, 0.4), dict.fromkeys(METRICS, 0.6))
RESULT = CandidateResult({"maxDepth": 3, "stepSize": 0.1}, FOLDS, 1.5)


SAME = {"learner": "gbt", "engine": "mllib", "folds": "2", "seed": "42", "folds_digest": "abc:2"}


def start_search(store, status="RUNNING", **tags):
    tags = {tracking.KEY: "key", tracking.STEP: "train_grid", **SAME, **tags}
    run = MlflowClient().create_run(store, tags=tags)
    if status != "RUNNING":
        MlflowClient().set_terminated(run.info.run_id, status)
    return mlflow.get_run(run.info.run_id)


def test_candidate_is_a_child_run_with_all_its_scores(store):
    search = start_search(store)
    with CandidateWriter(search, {"learner": "gbt", "folds": 2}) as writer:
        writer.add(RESULT)
        child = writer.run_id(RESULT.name)
    found = mlflow.get_run(child)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "maxDepth=3 stepSize=0.1"
    assert found.data.tags["mlflow.parentRunId"] == search.info.run_id
    assert found.data.params == {"maxDepth": "3", "stepSize": "0.1", "learner": "gbt", "folds": "2"}
    for name in METRICS:
        assert found.data.metrics[f"val_{name}"] == pytest.approx(0.5)
        assert found.data.metrics[f"val_{name}_std"] == pytest.approx(0.1)
    history = MlflowClient().get_metric_history(child, "val_f1")
    assert [(m.step, m.value) for m in sorted(history, key=lambda m: m.step)] == [
        (0, 0.4),
        (1, 0.6),
        (2, 0.5),
    ]


def test_candidate_that_failed_is_a_failed_child_with_its_error(store):
    search = start_search(store)
    with CandidateWriter(search, {}) as writer:
        writer.add(CandidateFailure({"maxDepth": 3}, "fold 1: no memory"))
    child = mlflow.get_run(writer.run_ids["maxDepth=3"])
    assert child.info.status == "FAILED"
    assert child.data.tags["error"] == "fold 1: no memory"


def test_error_of_the_store_reaches_the_search(store):
    search = start_search(store)
    search.info._experiment_id = "12345"
    with CandidateWriter(search, {}) as writer:
        writer.add(RESULT)
        with pytest.raises(MlflowException, match="No Experiment"):
            writer.run_id(RESULT.name)
        writer.error = None


def candidates_below(search):
    tags = {tracking.SEARCH: search.info.run_id, tracking.STEP: "candidate"}
    return tracking.find_finished(tags, search.info.experiment_id, most=None)


@pytest.mark.parametrize("status", ["KILLED", "FAILED"])
def test_candidates_of_a_search_that_was_given_up_are_taken_up(store, status):
    dead = start_search(store, status)
    child = candidate_runs.log_candidate(RESULT, dead, dead.info.run_id, {"folds": 2})
    failed = CandidateFailure({"maxDepth": 4}, "x")
    candidate_runs.log_candidate(failed, dead, dead.info.run_id, {})
    search = start_search(store)
    earlier = earlier_candidates.unfinished_candidates(search, GBT)
    assert earlier == {RESULT.name: TrackedCandidate(child, RESULT)}
    with CandidateWriter(search, {}, earlier) as writer:
        writer.add(RESULT)
    (taken,) = candidates_below(search)
    assert taken.data.tags["mlflow.parentRunId"] == search.info.run_id
    assert taken.data.tags[candidate_runs.TAKEN_FROM] == child
    assert taken.data.metrics == mlflow.get_run(child).data.metrics
    # A search that was wrongly taken for dead has lost nothing.
    assert [run.info.run_id for run in candidates_below(dead)] == [child]
    assert mlflow.get_run(dead.info.run_id).data.tags["taken_up_by"] == search.info.run_id


def test_candidates_are_taken_up_until_a_search_has_finished_with_them(store):
    dead = start_search(store, "KILLED")
    candidate_runs.log_candidate(RESULT, dead, dead.info.run_id, {"folds": 2})
    second = start_search(store)
    assert earlier_candidates.unfinished_candidates(second, GBT)
    MlflowClient().set_terminated(second.info.run_id, "KILLED")
    third = start_search(store)
    assert earlier_candidates.unfinished_candidates(third, GBT)
    MlflowClient().set_terminated(third.info.run_id, "FINISHED")
    assert earlier_candidates.unfinished_candidates(start_search(store), GBT) == {}
    MlflowClient().delete_run(third.info.run_id)
    assert earlier_candidates.unfinished_candidates(start_search(store), GBT)


@pytest.mark.parametrize("name", SAME)
def test_candidates_that_were_scored_otherwise_are_not_ranked_with_these(store, caplog, name):
    dead = start_search(store, "KILLED", **{name: "another"})
    candidate_runs.log_candidate(RESULT, dead, dead.info.run_id, {"folds": 2})
    assert earlier_candidates.unfinished_candidates(start_search(store), GBT) == {}
    assert f"not reusing 1 candidate of run {dead.info.run_id}: scored with {name} another" in caplog.text


@pytest.mark.parametrize(
    "folds", [FOLDS[:1], [{**FOLDS[0], "new": 1.0}, FOLDS[1]], [{"f1": 0.5}, FOLDS[1]]]
)
def test_candidate_with_other_scores_than_the_search_counts_is_scored_again(store, folds):
    dead = start_search(store, "KILLED")
    child = candidate_runs.log_candidate(RESULT, dead, dead.info.run_id, {})
    for place in range(2):
        MlflowClient().delete_tag(child, f"{candidate_runs.FOLD}{place}")
    for place, fold in enumerate(folds):
        MlflowClient().set_tag(child, f"{candidate_runs.FOLD}{place}", json.dumps(fold))
    assert earlier_candidates.unfinished_candidates(start_search(store), GBT) == {}


def test_search_killed_elsewhere_a_moment_ago_is_waited_for_and_taken_up(store, monkeypatch, caplog):
    monkeypatch.setenv(liveness.GRACE_VARIABLE, "0.3")
    beat = {liveness.PROCESS: "another boot/pid:[1]/1/1", liveness.BEAT: f"{time.time():.3f} 0.3"}
    dead = start_search(store, **beat)
    candidate_runs.log_candidate(RESULT, dead, dead.info.run_id, {"folds": 2})
    assert earlier_candidates.unfinished_candidates(start_search(store), GBT).keys() == {RESULT.name}
    assert mlflow.get_run(dead.info.run_id).info.status == "KILLED"
    assert f"(run {dead.info.run_id}): waiting for a heartbeat, up to 0 s" in caplog.text


@pytest.mark.parametrize("status", ["RUNNING", "FINISHED"])
def test_candidates_of_a_search_that_goes_on_or_ended_well_are_left_to_it(store, status, caplog):
    other = start_search(store, status)
    with liveness.Heartbeat(other.info.run_id, store):
        candidate_runs.log_candidate(RESULT, other, other.info.run_id, {})
        assert earlier_candidates.unfinished_candidates(start_search(store), GBT) == {}
    said = f"the same search is already running as run {other.info.run_id}: this one does not wait for it"
    assert (said in caplog.text) == (status == "RUNNING")


def finished_search(learner="gbt", failures=()):
    """Log a search of four candidates, best first in its table; returns its URI."""
    results = [
        CandidateResult({"maxDepth": depth, "stepSize": 0.1}, FOLDS, 1.0) for depth in (7, 3, 5, 2)
    ]
    table = candidates_table(results, "f1", failures)
    table["maxDepth"] = [7, 3, 5, 2, *(one.parameters["maxDepth"] for one in failures)]
    with mlflow.start_run(tags={"learner": learner}) as active:
        artifacts.log_table(table, "candidates.csv")
    return f"runs:/{active.info.run_id}"


def test_warm_start_is_the_best_candidates_of_the_search_with_their_types(store):
    uri = finished_search(failures=[CandidateFailure({"maxDepth": 9, "stepSize": 0.1}, "no")])
    found = earlier_candidates.best_of_search(uri, 2, GBT)
    assert found == [{"maxDepth": 7, "stepSize": 0.1}, {"maxDepth": 3, "stepSize": 0.1}]
    assert [type(value) for value in found[0].values()] == [int, float]
    assert [one["maxDepth"] for one in earlier_candidates.best_of_search(uri, 99, GBT)] == [7, 3, 5, 2]
    assert earlier_candidates.best_of_search("none", 2, GBT) == []


def test_warm_start_of_another_learner_is_refused(store):
    uri = finished_search(learner="random_forest")
    with pytest.raises(UserError) as raised:
        earlier_candidates.best_of_search(uri, 2, GBT)
    assert (
        str(raised.value) == f"warm_start must be none, auto or a search with learner 'gbt', got '{uri}'"
    )


def test_candidate_of_many_folds_is_taken_up_with_each_in_its_place(store):
    dead = start_search(store, "KILLED", folds="12")
    folds = tuple(dict.fromkeys(METRICS, place / 100) for place in range(12))
    result = CandidateResult({"maxDepth": 3, "stepSize": 0.1}, folds, 1.5)
    candidate_runs.log_candidate(result, dead, dead.info.run_id, {"folds": 12})
    search = start_search(store, folds="12")
    (taken,) = earlier_candidates.unfinished_candidates(search, GBT).values()
    assert taken.result == result


def test_candidates_of_a_race_are_taken_up_with_their_learner_and_trees(store):
    parameters = {"learner": "xgboost", "max_depth": 3, "early_stopping_rounds": 5}
    stopped = CandidateResult(parameters, FOLDS, 1.5, trees=17)
    dead = start_search(store, "KILLED", learner="auto")
    child = candidate_runs.log_candidate(stopped, dead, dead.info.run_id, {"learner": "auto"})
    assert mlflow.get_run(child).data.params["learner"] == "xgboost"
    assert mlflow.get_run(child).data.metrics["trees"] == 17
    search = start_search(store, learner="auto")
    earlier = earlier_candidates.unfinished_candidates(search, get_learner("auto"))
    assert earlier == {stopped.name: TrackedCandidate(child, stopped)}


def test_generation_that_the_end_of_the_time_cuts_short_has_not_failed(store):
    search = start_search(store)
    with CandidateWriter(search, {}) as writer, pytest.raises(TimeUp), writer.generation("generation 0"):
        raise TimeUp
    (run,) = tracking.find_finished({tracking.STEP: "generation"}, store)
    assert run.info.run_name == "generation 0"


def test_warm_start_from_a_race_takes_the_candidates_of_the_learner(store):
    results = [
        CandidateResult({"learner": "gbt", "maxDepth": 3, "stepSize": 0.1}, FOLDS, 1.0),
        CandidateResult({"learner": "xgboost", "max_depth": 9}, FOLDS, 1.0),
        CandidateResult({"learner": "gbt", "maxDepth": 2, "stepSize": 0.2}, FOLDS, 1.0),
    ]
    with mlflow.start_run(tags={"learner": "gbt"}) as run:
        artifacts.log_table(candidates_table(results, "f1"), "candidates.csv")
    found = earlier_candidates.best_of_search(f"runs:/{run.info.run_id}", 5, GBT)
    assert sorted(one["maxDepth"] for one in found) == [2, 3]
    assert all(set(one) == {"maxDepth", "stepSize"} for one in found)
