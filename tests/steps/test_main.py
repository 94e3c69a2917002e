"""What main passes to its steps, which are replaced by stand-ins that record it."""

import mlflow
import pytest
from click.testing import CliRunner

from common.data.spec_yaml import load_spec
from common.errors import UserError
from common.store import chain, tracking
from common.store.chain import Chain
from common.store.get_or_run import StartedStep, StepRun
from common.store.workflow_runs import STEP_RUNS
from common.workflow.declaration import entry_defaults
from steps import main as module
from steps.main import main

GIVEN = {
    "dataset": "adult",
    "source": "people.csv",
    "label": "income",
    "task": "binary",
    "positive": ">50K",
    "profile": "none",
    "profile_rows": "77",
    "profile_columns": "12",
    "strata": "income",
    "train_ratio": "0.6",
    "encoding": "index",
    "missing": "native",
    "learner": "xgboost",
    "folds": "3",
    "metric": "accuracy",
    "threshold": "0.4",
    "balance": "True",
    "engine": "boosting",
    "refit": "mllib",
    "minutes": "3.0",
    "parallelism": "4",
    "grid": '{"max_depth": [2]}',
    "space": '{"max_depth": {"low": 1, "high": 3}}',
    "generations": "2",
    "population": "5",
    "patience": "6",
    "seed": "9",
    "name": "other",
    "margin": "0.5",
    "gates": '{"f1": 0.6}',
}


@pytest.fixture
def called(store, monkeypatch):
    """Stand-ins for all steps: by step, the parameters of the call and whether it may be reused."""
    calls = {}

    def get_or_run(step, parameters, use_cache, experiment_id):
        assert experiment_id == store
        calls[step] = {name: str(value) for name, value in parameters.items()}, use_cache
        with mlflow.start_run(nested=True):
            return StepRun(step, f"{step}_run", False, 0.0)

    def get_or_start(*given):
        done = get_or_run(*given)
        return StartedStep(done.step, done.run_id, None)

    monkeypatch.setattr(StepRun, "dataset", lambda _: load_spec("adult"))
    # The metrics of a split say how many folds its rows allow.
    monkeypatch.setattr(Chain, "check_folds", lambda self, split, task: None)
    monkeypatch.setattr(chain, "get_or_run", get_or_run)
    monkeypatch.setattr(chain, "get_or_start", get_or_start)
    monkeypatch.setattr(module, "write_report", lambda workflow: "report.html")
    monkeypatch.setattr(module, "summary", lambda workflow, report: f"see {report}")
    monkeypatch.setattr(module, "workflow_of", lambda run: None)
    return calls


def run_main(**options):
    arguments = [
        part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


def test_every_parameter_of_main_reaches_each_step_that_has_it(called):
    run_main(**GIVEN)
    assert list(called) == [
        "load_data",
        "eda",
        "split",
        "featurize",
        "train_grid",
        "train_ga",
        "champion",
    ]
    searches = {"candidates": "runs:/train_grid_run,runs:/train_ga_run"}
    inputs = {"data": "runs:/load_data_run/data", "split": "runs:/split_run", **searches}
    inputs["features"] = "runs:/featurize_run"
    for step, (given, _) in called.items():
        of_main = {name: (GIVEN | inputs).get(name) for name in entry_defaults(step)}
        assert given.items() >= {n: v for n, v in of_main.items() if v is not None}.items(), step
        assert given.items() <= (GIVEN | inputs).items(), step


@pytest.mark.parametrize("use_cache", ["true", "false"])
def test_use_cache_reaches_every_step(called, use_cache, monkeypatch):
    monkeypatch.setattr(module.registry, "has_all", lambda name, searches: True)
    monkeypatch.setattr(module, "_tell", lambda done, workflow, name, task: None)
    run_main(**GIVEN, use_cache=use_cache)
    assert {cached for _, cached in called.values()} == {use_cache == "true"}


def test_champion_is_judged_anew_where_there_is_none(called):
    run_main(**GIVEN)
    assert [step for step, (_, cached) in called.items() if not cached] == ["champion"]


def test_eda_is_waited_for_last(called, monkeypatch):
    waited = []
    monkeypatch.setattr(
        module, "_tell", lambda done, workflow, name, task: waited.extend(one.step for one in done)
    )
    run_main(**GIVEN)
    assert waited == ["load_data", "split", "featurize", "train_grid", "train_ga", "champion", "eda"]


def test_workflow_that_fails_names_the_steps_that_are_done(called, monkeypatch, store):
    def fail(*given):
        raise UserError("no search today")

    monkeypatch.setattr(Chain, "search_grids", fail)
    arguments = [part for name, value in GIVEN.items() for part in (f"--{name.replace('_', '-')}", value)]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    (run,) = tracking.find_runs({tracking.STEP: "main"}, store, "FAILED")
    assert tracking.listed(run.data.tags, STEP_RUNS) == ["load_data_run", "split_run", "featurize_run"]


def test_page_of_main_says_what_came_of_it(called, store):
    run_main(**GIVEN)
    (run,) = tracking.find_finished({tracking.STEP: "main"}, store)
    assert run.data.tags["mlflow.note.content"] == "see report.html"


def test_no_generations_are_no_genetic_search(called):
    run_main(**{**GIVEN, "generations": "0"})
    assert "train_ga" not in called
    assert called["champion"][0]["candidates"] == "runs:/train_grid_run"


def test_step_is_reused_only_where_both_main_and_step_allow_it(called, store):
    for use_cache, reusable in ((True, True), (True, False), (False, True), (False, False)):
        Chain(store, {}, use_cache, None).run("split", reusable=reusable)
        assert called["split"] == ({}, use_cache and reusable)
