"""learner=auto by the steps' own commands."""

import json
from io import StringIO

import pandas as pd
import pytest
from click.testing import CliRunner

from common.store import artifacts, kept, tracking
from common.store.members import member_of
from common.store.registry import present_champion
from steps.champion import champion
from steps.train_ga import train_ga
from steps.train_grid import train_grid
from tests.stores import step_caller

BOOSTED = {"n_estimators": [200], "early_stopping_rounds": [5], "max_depth": [2, 3]}
GRIDS = {"logistic_regression": {"regParam": [0.01]}, "xgboost": [BOOSTED], "gbt": {"maxDepth": [0]}}
STEPS_OF_DEPTH = {name: {"choices": values} for name, values in BOOSTED.items()}
SPACES = {"xgboost": {"first": BOOSTED, "space": STEPS_OF_DEPTH}}


@pytest.fixture(scope="module")
def raced(kept_store, features):
    """What the race printed, and its run."""
    grid = {"features": features, "grid": json.dumps(GRIDS), "folds": 2}
    said, uri = step_caller(kept_store)(train_grid, learner="auto", **grid)
    return said, tracking.get_run(uri)


@pytest.fixture(scope="module")
def candidates(raced):
    _, run = raced
    text = artifacts.read_text(f"runs:/{run.info.run_id}/candidates.csv")
    return pd.read_csv(StringIO(text))


def children(kept_store, run):
    tags = {tracking.SEARCH: run.info.run_id, tracking.STEP: "candidate"}
    return tracking.find_finished(tags, kept_store, most=None)


def test_winner_is_the_best_candidate_of_all_learners(raced, candidates, kept_store):
    said, run = raced
    best = candidates.loc[candidates["val_roc_auc"].idxmax()]
    assert set(candidates["learner"]) == set(GRIDS)
    assert candidates["learner"][0] == best["learner"] == run.data.tags["learner"]
    assert run.data.metrics["val_roc_auc"] == pytest.approx(best["val_roc_auc"])
    assert run.data.tags["engine"] == {"xgboost": "boosting"}.get(best["learner"], "mllib")
    reason = run.data.tags["engine_reason"]
    assert reason.startswith("mllib for logistic_regression (the only one); boosting for xgboost, gbt (")
    assert "gbt is left behind: roc_auc 0.5000" in said


def test_each_candidate_run_names_its_learner(raced, candidates, kept_store):
    found = children(kept_store, raced[1])
    learners = [one.data.params["learner"] for one in found]
    assert sorted(learners) == sorted(candidates["learner"])
    for one in found:
        assert ("trees" in one.data.metrics) == (one.data.params["learner"] == "xgboost")


def test_winner_that_stopped_is_kept_with_its_number_of_trees(kept_store, features):
    call, bred = step_caller(kept_store), {"generations": 1, "population": 3}
    grid = {"features": features, "space": json.dumps(SPACES), "folds": 2}
    _, uri = call(train_ga, learner="auto", **grid, **bred)
    run = tracking.get_run(uri)
    table = pd.read_csv(StringIO(artifacts.read_text(f"{uri}/candidates.csv")))
    kept = json.loads(artifacts.read_text(f"{uri}/best_parameters.json"))
    assert kept == {"n_estimators": table["trees"][0], "max_depth": table["max_depth"][0]}
    assert kept["n_estimators"] < 200
    member = member_of(run)
    assert (member.learner.name, dict(member.parameters)) == ("xgboost", kept)
    assert set(pd.read_csv(StringIO(artifacts.read_text(f"{uri}/generations.csv")))["learner"]) == {
        "xgboost"
    }
    card = artifacts.read_text(f"{uri}/portable-model/README.md")
    assert f"n_estimators={kept['n_estimators']}" in card
    assert "early_stopping_rounds" not in card
    call(champion, candidates=uri, name="raced")
    version = present_champion("raced")
    assert version is not None
    assert (version.tags["learner"], version.tags["engine"]) == ("xgboost", "boosting")


def test_findings_are_about_the_learner_that_won(raced):
    _, run = raced
    text = artifacts.read_text(f"runs:/{run.info.run_id}/findings.md")
    learner = run.data.tags["learner"]
    assert f"What follows is about the candidates of {learner}." in text
    assert f"-P learner={learner} -P grid=" in text
    for name in GRIDS:
        assert f"**{name}** 0." in text


def test_search_whose_time_is_over_has_a_winner(kept_store, features, raced):
    grid = {"features": features, "grid": '{"maxDepth": [1, 2, 3]}', "folds": 2, "minutes": 1e-6}
    arguments = [part for name, value in grid.items() for part in (f"--{name}", str(value))]
    result = CliRunner().invoke(train_grid, ["--learner", "gbt", *arguments])
    assert result.exit_code == 0, result.output
    assert "minutes=1e-06 are over: scored 1 of at most 3 candidates" in result.stdout
    run = tracking.find_finished({tracking.STEP: "train_grid"}, kept_store)[0]
    assert run.info.run_id != raced[1].info.run_id
    assert len(children(kept_store, run)) == 1
    assert kept.has_artifacts(run.info.run_id, ["portable-model"])
