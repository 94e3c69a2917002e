"""The vote that champion makes, by the steps' commands on a small slice."""

import json
from types import SimpleNamespace

import mlflow
import pytest
from click.testing import CliRunner
from pyspark.sql import functions as F

from common import PROJECT
from common.data.target import TWO
from common.learning.metrics import scores
from common.learning.vectorizer import LABEL
from common.search.winner import pipeline_table
from common.store import frames, kept, tracking
from common.store.contest import measure
from common.store.ensembles import fill_ensemble, is_better
from common.store.members import find_members
from common.store.registry import present_champion, register
from common.store.spark_models import load_spark_model
from common.store.step_run import Run
from steps.champion import champion
from steps.featurize import featurize
from steps.load_data import load_data
from steps.split import split
from steps.train_grid import train_grid
from tests.stores import new_store, step_caller

GRIDS = {
    "random_forest": '{"maxDepth": [2], "numTrees": [2]}',
    "logistic_regression": '{"maxIter": [3]}',
}


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty_store):
    with new_store(tmp_path_factory.mktemp("ensemble"), empty_store) as experiment:
        yield experiment


@pytest.fixture(scope="module")
def searches(store, slice_file):
    """Two searches on the slice, with two fast learners; their URIs."""
    call = step_caller(store)
    _, loaded = call(load_data, source=slice_file)
    _, parts = call(split, data=f"{loaded}/data")
    _, features = call(featurize, split=parts)
    return [
        call(train_grid, features=features, learner=learner, grid=grid, folds=2)[1]
        for learner, grid in GRIDS.items()
    ]


@pytest.fixture(scope="module")
def voted(store, searches):
    """Champion's output about their vote, champion's URI, and the vote's run."""
    said, uri = step_caller(store)(champion, candidates=",".join(searches), ensemble="true")
    (run,) = tracking.find_finished({tracking.STEP: "ensemble"}, store)
    return SimpleNamespace(said=said, champion=uri, run=run)


@pytest.mark.slow
def test_vote_is_left_below_champion_as_a_search_leaves_its_winner(voted, searches):
    run, metrics, tags = voted.run, voted.run.data.metrics, voted.run.data.tags
    assert f"runs:/{tags['mlflow.parentRunId']}" == voted.champion
    assert kept.has_artifacts(run.info.run_id, ["spark-model", "portable-model", "members.csv"])
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "val_roc_auc")
    assert [metric.step for metric in history] == [0, 1, 2]
    weights = json.loads(tags["members"])
    assert {f"runs:/{search}" for search in weights} == set(searches)
    assert sum(weights.values()) == pytest.approx(1)
    assert {f"weight_{learner}" for learner in GRIDS} <= run.data.params.keys()
    assert tags["test_digest"] == tracking.get_run(searches[0]).data.tags["test_digest"]
    better = metrics["val_roc_auc"] > metrics["val_roc_auc_alone"]
    assert ("not registered" in voted.said) == (not better)
    assert len(mlflow.MlflowClient().search_model_versions(f"name = '{PROJECT}'")) == 2 + better


@pytest.mark.slow
def test_version_of_a_vote_scores_records_and_can_be_scored_on_other_rows(voted, spark):
    tags = voted.run.data.tags
    version = register(voted.run, "votes")
    assert version.tags["members"] == tags["members"]
    assert float(version.tags["test_f1"]) == voted.run.data.metrics["test_f1"]
    test = frames.read_frame(spark, f"{tags['workflow.input.features']}/test")
    pipeline = load_spark_model(f"runs:/{version.tags['search']}/spark-model")
    found = scores(pipeline_table(pipeline, test, TWO))
    assert found["f1"] == pytest.approx(voted.run.data.metrics["test_f1"])
    model = mlflow.pyfunc.load_model(f"models:/votes/{version.version}")
    records = test.limit(20).select(*model.metadata.get_input_schema().input_names())
    ours, theirs = model.predict(records.toPandas()), pipeline.transform(records).toPandas()
    assert ours["prediction"].tolist() == theirs["prediction"].tolist()


@pytest.mark.slow
def test_vote_of_the_same_members_is_made_once(voted, store, searches):
    said, _ = step_caller(store)(champion, candidates=",".join(reversed(searches)), ensemble="true")
    assert said.splitlines()[-1] == voted.said.splitlines()[-1]
    (run,) = tracking.find_finished({tracking.STEP: "ensemble"}, store, most=9)
    assert run.info.run_id == voted.run.info.run_id


@pytest.mark.slow
def test_test_rows_have_no_say_in_the_weights(voted, searches, monkeypatch):
    read = frames.read_frame

    def turned(session, uri):
        """Swap the labels of all test rows."""
        other = F.when(F.col("income") == ">50K", "<=50K").otherwise(">50K")
        frame = read(session, uri)
        turned = frame.withColumn("income", other).withColumn(LABEL, 1 - F.col(LABEL))
        return turned if uri.endswith("/test") else frame

    monkeypatch.setattr(frames, "read_frame", turned)
    members = find_members([tracking.get_run(uri) for uri in searches])
    with mlflow.start_run() as active:
        fill_ensemble(Run("ensemble", active, {"features": members[0].features}), members)
    again, first = mlflow.get_run(active.info.run_id).data, voted.run.data
    assert again.tags["members"] == first.tags["members"]
    assert again.metrics["val_roc_auc"] == first.metrics["val_roc_auc"]
    assert again.metrics["test_accuracy"] == pytest.approx(1 - first.metrics["test_accuracy"])


@pytest.mark.slow
def test_gates_are_measured_on_rows_that_the_winner_was_not_fitted_on(store, searches, monkeypatch):
    def untouched(session, uri, read=frames.read_frame):
        assert not uri.endswith("/test")
        return read(session, uri)

    monkeypatch.setattr(frames, "read_frame", untouched)
    call = step_caller(store)
    gates = {"roc_auc": 0.5, "calibration_error": 0.5, "stratum_loss": 30}
    said, _ = call(champion, candidates=searches[0], name="gated", gates=json.dumps(gates))
    assert "gated version 1 is champion: there was no champion" in said
    said, _ = call(champion, candidates=searches[1], name="gated", gates='{"stratum_loss": 0.1}')
    assert "gated version 2 is rejected: it fails its gates: stratum_loss is " in said
    assert str(present_champion("gated").version) == "1"


@pytest.mark.slow
def test_gates_of_a_vote_are_measured_as_it_votes(voted, spark):
    gates = dict.fromkeys(("roc_auc", "calibration_error"), 0.0)
    found = measure(voted.run, gates, lambda: spark)
    assert found["roc_auc"] == voted.run.data.metrics["val_roc_auc"]
    assert 0 <= found["calibration_error"] < 0.2


@pytest.mark.slow
def test_one_learner_alone_is_one_line_and_registers_nothing(store, searches):
    arguments = ["--candidates", searches[0], "--ensemble", "true", "--name", "alone"]
    result = CliRunner().invoke(champion, arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert "candidates only has random_forest: search with another learner first" in line
    assert present_champion("alone") is None


def ensemble_run(vote, alone):
    metrics = {"val_f1": vote, "val_f1_alone": alone, "test_f1": 0.86}
    metrics |= {"guess_val_f1": 0.39, "guess_test_f1": 0.38}
    params = {"weight_gbt": "0.4", "weight_xgboost": "0.6"}
    return SimpleNamespace(
        data=SimpleNamespace(
            metrics=metrics, tags={"best_alone": "xgboost", "metric": "f1"}, params=params
        )
    )


@pytest.mark.parametrize(("vote", "better"), [(0.8703, True), (0.8702, False), (0.8701, False)])
def test_vote_is_better_only_above_its_best_member(vote, better, capsys):
    assert is_better(ensemble_run(vote, 0.8702), print) == better
    said = capsys.readouterr().out
    assert f"ensemble of gbt, xgboost: f1 {vote:.5f} (guessing 0.39000) over folds" in said
    assert ("not better than the 0.87020 of xgboost alone" in said) == (not better)
    assert said.endswith(": not registered\n") == (not better)
