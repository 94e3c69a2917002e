import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from common import candidate_runs, tracking
from common.candidate_runs import CandidateWriter, TrackedCandidate
from common.errors import UserError
from common.learners import get_learner
from common.metrics import METRICS
from common.search.result import CandidateFailure, CandidateResult, candidates_table

GBT = get_learner("gbt")
FOLDS = (dict.fromkeys(METRICS, 0.4), dict.fromkeys(METRICS, 0.6))
RESULT = CandidateResult({"maxDepth": 3, "stepSize": 0.1}, FOLDS, 1.5)


def start_search(store, status="RUNNING"):
    run = MlflowClient().create_run(store, tags={tracking.KEY: "key", tracking.STEP: "train_grid"})
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


@pytest.mark.parametrize("status", ["KILLED", "FAILED"])
def test_candidates_of_a_search_that_was_given_up_are_taken_up(store, status):
    dead = start_search(store, status)
    child = candidate_runs.log_candidate(RESULT, dead, dead.info.run_id, {"folds": 2})
    failed = CandidateFailure({"maxDepth": 4}, "x")
    candidate_runs.log_candidate(failed, dead, dead.info.run_id, {})
    search = start_search(store)
    earlier = candidate_runs.unfinished_candidates(search, GBT)
    assert earlier == {RESULT.name: TrackedCandidate(child, RESULT)}
    with CandidateWriter(search, {}) as writer:
        writer.add(earlier[RESULT.name])
    assert mlflow.get_run(child).data.tags["mlflow.parentRunId"] == search.info.run_id
    assert mlflow.get_run(dead.info.run_id).data.tags["taken_up_by"] == search.info.run_id


@pytest.mark.parametrize("status", ["RUNNING", "FINISHED"])
def test_candidates_of_a_search_that_goes_on_or_ended_well_are_left_to_it(store, status):
    other = start_search(store, status)
    candidate_runs.log_candidate(RESULT, other, other.info.run_id, {})
    assert candidate_runs.unfinished_candidates(start_search(store), GBT) == {}


def finished_search(learner="gbt", failures=()):
    """Leave a search of four candidates, best first in its table; gives its URI."""
    results = [
        CandidateResult({"maxDepth": depth, "stepSize": 0.1}, FOLDS, 1.0) for depth in (7, 3, 5, 2)
    ]
    table = candidates_table(results, "f1", failures)
    table["maxDepth"] = [7, 3, 5, 2, *(one.parameters["maxDepth"] for one in failures)]
    with mlflow.start_run(tags={"learner": learner}) as active:
        tracking.log_table(table, "candidates.csv")
    return f"runs:/{active.info.run_id}"


def test_warm_start_is_the_best_candidates_of_the_search_with_their_types(store):
    uri = finished_search(failures=[CandidateFailure({"maxDepth": 9, "stepSize": 0.1}, "no")])
    found = candidate_runs.best_of_search(uri, 2, GBT)
    assert found == [{"maxDepth": 7, "stepSize": 0.1}, {"maxDepth": 3, "stepSize": 0.1}]
    assert [type(value) for value in found[0].values()] == [int, float]
    assert [one["maxDepth"] for one in candidate_runs.best_of_search(uri, 99, GBT)] == [7, 3, 5, 2]
    assert candidate_runs.best_of_search("none", 2, GBT) == []


def test_warm_start_of_another_learner_is_refused(store):
    uri = finished_search(learner="random_forest")
    with pytest.raises(UserError) as raised:
        candidate_runs.best_of_search(uri, 2, GBT)
    assert str(raised.value) == f"warm_start must be none, auto or a search of 'gbt', got '{uri}'"


def test_candidate_of_many_folds_is_taken_up_with_each_in_its_place(store):
    dead = start_search(store, "KILLED")
    folds = tuple(dict.fromkeys(METRICS, place / 100) for place in range(12))
    result = CandidateResult({"maxDepth": 3, "stepSize": 0.1}, folds, 1.5)
    candidate_runs.log_candidate(result, dead, dead.info.run_id, {"folds": 12})
    (taken,) = candidate_runs.unfinished_candidates(start_search(store), GBT).values()
    assert taken.result == result
