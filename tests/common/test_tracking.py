import mlflow
import pytest
from mlflow import MlflowClient
from pyspark.sql import functions as F

from common import tracking
from common.errors import UserError
from common.metrics import METRICS
from common.search.result import CandidateResult


@pytest.fixture
def run(store):
    with mlflow.start_run() as active:
        yield active


def test_frame_is_read_back_as_it_was_kept(run, spark, people):
    tracking.log_frame(people, "train")
    assert tracking.read_frame(spark, f"runs:/{run.info.run_id}/train").count() == people.count()
    assert tracking.has_artifacts(run.info.run_id, ["train"])
    assert not tracking.has_artifacts(run.info.run_id, ["train", "test"])


def test_artifact_that_is_not_there_is_one_line(run):
    with pytest.raises(UserError, match="artifact 'runs:/.*/nope.yaml' cannot be read"):
        tracking.read_text(f"runs:/{run.info.run_id}/nope.yaml")


def test_candidate_is_a_child_run_with_all_its_scores(run, store):
    folds = (dict.fromkeys(METRICS, 0.4), dict.fromkeys(METRICS, 0.6))
    result = CandidateResult({"maxDepth": 3}, folds, 1.5)
    child = tracking.log_candidate(
        result, mlflow.get_run(run.info.run_id), {"learner": "gbt", "folds": 2}
    )
    found = mlflow.get_run(child)
    assert found.info.status == "FINISHED"
    assert found.data.tags["mlflow.parentRunId"] == run.info.run_id
    assert found.data.params == {"maxDepth": "3", "learner": "gbt", "folds": "2"}
    for name in METRICS:
        assert found.data.metrics[f"val_{name}"] == pytest.approx(0.5)
        assert found.data.metrics[f"val_{name}_std"] == pytest.approx(0.1)
    history = MlflowClient().get_metric_history(child, "val_f1")
    assert [(m.step, m.value) for m in sorted(history, key=lambda m: m.step)] == [
        (0, 0.4),
        (1, 0.6),
        (2, 0.5),
    ]


def test_only_finished_runs_with_all_tags_are_found(store):
    with mlflow.start_run(tags={"a": "1", "b": "2"}) as right:
        assert tracking.find_finished({"a": "1"}, store) == []
    with mlflow.start_run(tags={"a": "1", "b": "3"}):
        pass
    found = tracking.find_finished({"a": "1", "b": "2"}, store)
    assert [found_run.info.run_id for found_run in found] == [right.info.run_id]


def test_data_is_logged_without_reading_it(run, people, spec):
    unreadable = people.where(F.raise_error(F.lit("read")).isNull())
    tracking.log_data(unreadable, spec, "runs:/x/train", "abc", "training")
    (logged,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("adult", "abc")
    assert logged.tags[0].value == "training"
