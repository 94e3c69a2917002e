import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from common import candidate_runs, tracking
from common.candidate_runs import CandidateWriter, TrackedCandidate
from common.learners import get_learner
from common.metrics import METRICS
from common.search.result import CandidateFailure, CandidateResult

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
