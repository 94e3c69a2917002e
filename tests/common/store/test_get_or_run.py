import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import cycle
from types import SimpleNamespace

import mlflow
import psutil
import pytest
import requests
from mlflow.exceptions import ExecutionException
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from common.data import elsewhere
from common.data.spec_yaml import CONF
from common.errors import UserError
from common.store import get_or_run, submit, tracking
from common.workflow.declaration import STEPS

ADULT = (CONF / "adult.yaml").read_text()


@pytest.fixture
def launched(store, monkeypatch):
    """Stand in for mlflow.run: steps finish at once with their outputs; returns what was run."""
    calls = []

    def run(uri, entry_point, parameters, experiment_id, **_):
        calls.append((entry_point, parameters))
        key = get_or_run.step_key(entry_point, parameters)
        tags = {tracking.STEP: entry_point, tracking.KEY: key}
        for name in STEPS[entry_point].inputs:
            tags[tracking.INPUT + name] = parameters[name]
        with mlflow.start_run(experiment_id=experiment_id, tags=tags, nested=True) as active:
            for output in STEPS[entry_point].outputs:
                text = ADULT if output == "dataset.yaml" else "content"
                mlflow.log_text(text, output if "." in output else f"{output}/part/file")
        return SimpleNamespace(run_id=active.info.run_id)

    monkeypatch.setattr(mlflow, "run", run)
    return calls


@pytest.fixture
def source(slice_file):
    return {"source": str(slice_file)}


def test_inputs_left_at_auto_are_run_first_in_order(launched, source, store):
    get_or_run.get_or_run("train_grid", source, experiment_id=store)
    assert [entry for entry, _ in launched] == ["load_data", "split", "featurize", "train_grid"]
    assert launched[1][1]["data"].startswith("runs:/")
    assert launched[1][1]["data"].endswith("/data")


def test_second_time_everything_is_reused(launched, source, store):
    first = get_or_run.get_or_run("train_grid", source, experiment_id=store)
    second = get_or_run.get_or_run("train_grid", source, experiment_id=store)
    assert len(launched) == 4
    assert (second.run_id, first.reused, second.reused) == (first.run_id, False, True)


def test_other_parameters_run_what_depends_on_them_alone(launched, source, store):
    get_or_run.get_or_run("train_grid", source, experiment_id=store)
    get_or_run.get_or_run("train_grid", {**source, "folds": 3}, experiment_id=store)
    assert [entry for entry, _ in launched[4:]] == ["train_grid"]


def test_boolean_has_the_same_key_as_the_text_in_mlproject(launched, store):
    given = {"version": "1", "ensemble": False}
    first = get_or_run.get_or_run("champion", given, experiment_id=store)
    again = get_or_run.get_or_run("champion", {**given, "ensemble": "false"}, experiment_id=store)
    assert launched[0][1]["ensemble"] == "false"
    assert (again.run_id, again.reused) == (first.run_id, True)


def test_other_content_of_the_source_runs_everything(launched, source, store, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("one\n")
    get_or_run.get_or_run("split", {"source": path}, experiment_id=store)
    path.write_text("two\n")
    get_or_run.get_or_run("split", {"source": path}, experiment_id=store)
    assert [entry for entry, _ in launched] == ["load_data", "split"] * 2


@pytest.mark.parametrize("uri", ["s3a://bucket/adult", "hdfs://name/adult"])
def test_other_content_behind_a_uri_runs_everything(launched, store, monkeypatch, uri):
    content = {uri: "one"}
    monkeypatch.setattr(elsewhere, "digest_of", content.get)
    for told in ("one", "one", "two"):
        content[uri] = told
        get_or_run.get_or_run("split", {"source": uri}, experiment_id=store)
    assert [entry for entry, _ in launched] == ["load_data", "split"] * 2


def test_grid_file_that_changed_is_searched_again(launched, source, store, tmp_path):
    path = tmp_path / "grid.yaml"
    for depth in (2, 3):
        path.write_text(f"maxDepth: [{depth}]")
        get_or_run.get_or_run("train_grid", {**source, "grid": path}, experiment_id=store)
    assert [entry for entry, _ in launched].count("train_grid") == 2


def test_without_cache_a_step_runs_again(launched, source, store):
    get_or_run.get_or_run("load_data", source, experiment_id=store)
    get_or_run.get_or_run("load_data", source, use_cache=False, experiment_id=store)
    assert len(launched) == 2


@pytest.mark.parametrize("use_cache", [True, False])
def test_step_that_is_started_is_reused_unless_it_is_not_to_be(store, source, monkeypatch, use_cache):
    started = []

    def submit(step, *_):
        started.append(step)
        return SimpleNamespace(run_id="new")

    monkeypatch.setattr(get_or_run, "_find", lambda *_: "found")
    monkeypatch.setattr(get_or_run, "submit_in_background", submit)
    found = get_or_run.get_or_start("load_data", source, use_cache=use_cache, experiment_id=store)
    assert found.run_id == ("found" if use_cache else "new")
    assert started == ([] if use_cache else ["load_data"])


OUTPUTS = [
    (name, output)
    for name, step in STEPS.items()
    if name not in ("report", "main")
    for output in step.outputs
]
DAMAGES = [
    (*declared, damage)
    for declared, damage in zip(OUTPUTS, cycle(["gone", "empty", "marks"]), strict=False)
]
DAMAGES += [("featurize", "vectorizer", "empty"), ("train_grid", "spark-model", "marks")]


@pytest.mark.parametrize(("step", "output", "damage"), DAMAGES)
def test_run_is_reused_only_while_all_that_it_declares_is_there(
    launched, store, tmp_path, caplog, monkeypatch, step, output, damage
):
    monkeypatch.setattr(get_or_run, "resolve_inputs", lambda *_: {})
    monkeypatch.setattr(get_or_run, "entry_defaults", lambda _: {})
    monkeypatch.setattr(get_or_run, "step_key", lambda *_: step)
    given = {**dict.fromkeys(STEPS[step].inputs, "runs:/x"), "profile": "full"}
    first = get_or_run.get_or_run(step, given, experiment_id=store)
    assert get_or_run.get_or_run(step, given, experiment_id=store).run_id == first.run_id
    left = tmp_path / "runs" / first.run_id / "artifacts" / output
    spoil(left, damage)
    assert not get_or_run.get_or_run(step, given, experiment_id=store).reused
    assert f"{step} of run {first.run_id} lost its artifacts: it is not reused" in caplog.text


def spoil(left, damage):
    """Remove an artifact, empty it, or keep only Spark's marker files."""
    folder = left.is_dir()
    shutil.rmtree(left) if folder else left.unlink()
    if damage != "gone" and not folder:
        left.touch()
    elif damage != "gone":
        (left / "inner").mkdir(parents=True)
        if damage == "marks":
            (left / "_SUCCESS").touch()
            (left / "._SUCCESS.crc").write_text("checksum")
            (left / "part-0").touch()


def test_run_before_the_one_that_lost_its_artifacts_is_reused(launched, source, store, tmp_path):
    older = get_or_run.get_or_run("load_data", source, experiment_id=store)
    newer = get_or_run.get_or_run("load_data", source, use_cache=False, experiment_id=store)
    (tmp_path / "runs" / newer.run_id / "artifacts" / "dataset.yaml").unlink()
    assert get_or_run.get_or_run("load_data", source, experiment_id=store).run_id == older.run_id


def test_store_that_does_not_answer_is_an_error_and_no_lost_artifact(
    launched, source, store, monkeypatch, caplog
):
    get_or_run.get_or_run("load_data", source, experiment_id=store)

    def fail(*_):
        raise requests.ConnectionError("connection refused")

    monkeypatch.setattr(LocalArtifactRepository, "list_artifacts", fail)
    with pytest.raises(UserError, match="artifact store of run .* does not answer: connection refused"):
        get_or_run.get_or_run("load_data", source, experiment_id=store)
    assert len(launched) == 1
    assert "lost its artifacts" not in caplog.text


def test_champion_takes_all_searches_of_this_workflow(launched, source, store):
    searches = [
        get_or_run.get_or_run("train_grid", {**source, "folds": folds}, experiment_id=store).uri()
        for folds in (3, 4)
    ]
    assert get_or_run.resolve_inputs("champion", source, store)["candidates"].split(",") == searches
    given = {**source, "candidates": ", ".join(searches)}
    assert get_or_run.resolve_inputs("champion", given, store)["candidates"].split(",") == searches


def test_champion_takes_the_searches_on_what_the_declaration_gives_them(
    launched, source, store, monkeypatch
):
    """A step of one's own between featurize and the searches is not passed by."""
    search = replace(get_or_run.STEPS["train_grid"], inputs={"features": ("split", "")})
    monkeypatch.setitem(get_or_run.STEPS, "train_grid", search)
    get_or_run.resolve_inputs("champion", source, store)
    assert [entry for entry, _ in launched] == ["load_data", "split", "train_grid"]


def warm_start(store, **parameters):
    given = {"features": "runs:/abc", "learner": "gbt", "warm_start": "auto", **parameters}
    return get_or_run.resolve_inputs("train_ga", given, store)["warm_start"]


def test_genetic_search_begins_with_the_newest_grid_search_of_its_learner_and_features(store, caplog):
    def search(step="train_grid", learner="gbt", features="runs:/abc"):
        tags = {tracking.STEP: step, "learner": learner, tracking.INPUT + "features": features}
        with mlflow.start_run(tags=tags) as active:
            return f"runs:/{active.info.run_id}"

    other = search(features="runs:/def")
    assert warm_start(store) == "none"
    said = "finds no grid search of these features by learner gbt: the first generation is drawn"
    assert [record.message for record in caplog.records] == [f"warm_start=auto {said}"]
    search()
    newest = search()
    forest = search(learner="random_forest")
    search(step="train_ga")
    assert warm_start(store) == newest
    assert warm_start(store, learner="random_forest") == forest
    assert warm_start(store, features="runs:/def") == other
    assert len(caplog.records) == 1
    assert warm_start(store, learner="xgboost") == "none"
    given = {"features": "runs:/abc", "learner": "gbt", "warm_start": "runs:/given"}
    assert "warm_start" not in get_or_run.resolve_inputs("train_ga", given, store)


def test_failed_step_is_an_error_that_names_it(store, source, monkeypatch):
    def fail(*_, **__):
        raise ExecutionException("Run (ID 'abc') failed")

    monkeypatch.setattr(mlflow, "run", fail)
    with pytest.raises(UserError, match=r"step load_data failed \(Run \(ID 'abc'\) failed\)"):
        get_or_run.get_or_run("load_data", source, experiment_id=store)


def test_step_in_the_background_leaves_the_processor_to_others(monkeypatch):
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    run = SimpleNamespace(command_proc=process)
    monkeypatch.setattr(submit, "_begin", lambda *_: run)
    try:
        assert submit.submit_in_background("eda", {}, "0") is run
        assert psutil.Process(process.pid).nice() == submit.BACKGROUND
    finally:
        process.communicate(b"\n")
    # One that has ended already is no error.
    assert submit.submit_in_background("eda", {}, "0") is run


@pytest.mark.parametrize(("lost", "times"), [([False, True], 2), ([False, False], 1), ([True, True], 1)])
def test_step_that_fails_runs_again_if_its_spark_application_has_died(monkeypatch, lost, times):
    submitted = []

    def fail(*given):
        submitted.append(given)
        raise ExecutionException("failed")

    answers = iter(lost)
    monkeypatch.setattr(submit, "has_lost_spark", lambda _=0: next(answers))
    monkeypatch.setattr(submit, "_submit", fail)
    with pytest.raises(ExecutionException):
        submit.submit("split", {}, "0")
    assert submitted == [("split", {}, "0")] * times
