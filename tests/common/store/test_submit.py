import os
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.projects.utils import fetch_and_validate_project

from common import ROOT
from common.machine import step_host
from common.machine.host_client import HOST
from common.store import submit


@pytest.fixture
def seen(monkeypatch):
    """What steps find of a host in their environment, each time that one is started."""
    found = []
    monkeypatch.setattr(mlflow, "run", lambda *_, **__: found.append(os.environ.get(HOST)))
    monkeypatch.setattr(submit, "lend_spark", nullcontext)
    monkeypatch.setattr(step_host, "_begun", None)
    return found


@pytest.fixture
def begin(monkeypatch):
    """Begin a host of this process that imports a module; it ends with the test."""

    def begun(module):
        monkeypatch.setattr(step_host, "STEPS", module)
        return step_host.begin()

    yield begun
    step_host.of_this_process().process.communicate()


def test_host_that_was_begun_before_is_waited_for(seen, begin):
    host = begin("json")
    submit.submit("load_data", {}, "0")
    submit.submit("split", {}, "0")
    host.process.kill()
    host.process.wait()
    submit.submit("featurize", {}, "0")
    assert seen == [str(host.path), str(host.path), None]
    assert HOST not in os.environ


def test_folder_with_a_number_sign_is_the_project(tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr(mlflow, "run", lambda uri, **_: found.append(uri))
    monkeypatch.setattr(submit, "lend_spark", nullcontext)
    monkeypatch.setattr(submit, "_offered", nullcontext)
    folder = tmp_path / "no. #1"
    folder.mkdir()
    (folder / "MLproject").write_text("name: x\nentry_points: {split: {command: 'true'}}\n")
    monkeypatch.setattr(submit, "ROOT", folder)
    monkeypatch.chdir(folder)
    submit.submit("split", {}, "0")
    assert fetch_and_validate_project(found[0], None, "split", {}) == str(folder)


def test_first_step_does_not_wait_for_a_host_that_begins_beside_it(seen, begin, monkeypatch, tmp_path):
    (tmp_path / "imported_slowly.py").write_text("import sys\nsys.stdin.read(1)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setattr(step_host, "STEPS", "imported_slowly")
    submit.submit("load_data", {}, "0")
    host = step_host.of_this_process()
    host.process.stdin.write(b"x")
    host.process.stdin.flush()
    submit.submit("split", {}, "0")
    assert seen == [None, str(host.path)]


def test_host_that_cannot_import_holds_no_step_up(seen, begin):
    begin("no.such.module")
    submit.submit("load_data", {}, "0")
    assert seen == [None]


@pytest.mark.parametrize("failing", [OSError("no memory"), None])
def test_steps_run_without_a_host_where_there_is_none(seen, monkeypatch, failing):
    def start(*_):
        raise failing or AssertionError("no forks here")

    monkeypatch.setattr(step_host, "StepHost", start)
    monkeypatch.setattr(step_host.sys, "platform", "linux" if failing else "darwin")
    submit.submit("split", {}, "0")
    assert seen == [None]


def test_host_imports_main_and_every_step_that_it_runs_and_what_opens_a_database():
    code = """
from steps.hosted import FIRST, LATER
from common.workflow.declaration import CHAIN
assert {f"steps.{step}" for step in CHAIN} == set(LATER)
from common.machine.step_host import MAIN
assert MAIN in FIRST
print("mlflow.store.tracking.sqlalchemy_store" in FIRST)
"""
    for uri, opens in (("sqlite:///any.db", "True"), ("http://127.0.0.1:1", "False")):
        environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert done.stdout.strip() == opens


def test_host_that_takes_too_long_is_waited_for_once(seen, begin, monkeypatch, tmp_path):
    (tmp_path / "never.py").write_text("import sys\nsys.stdin.read(1)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setattr(submit, "PATIENCE", 0.2)
    host = begin("never")
    waited = []
    select = step_host.select.select
    monkeypatch.setattr(step_host.select, "select", lambda *given: waited.append(1) or select(*given))
    for step in ("load_data", "split", "featurize"):
        submit.submit(step, {}, "0")
    assert seen == [None] * 3
    assert len(waited) == 1
    assert host.process.poll() is None


def test_run_of_a_step_that_was_killed_is_ended(store):
    client = MlflowClient()
    killed, ended = (client.create_run(store).info.run_id for _ in range(2))
    client.set_terminated(ended)
    for run_id in (killed, ended):
        submit.end_run(run_id)
    assert [client.get_run(run_id).info.status for run_id in (killed, ended)] == ["FAILED", "FINISHED"]


@pytest.mark.parametrize("start", [submit.submit, submit.submit_in_background])
def test_run_that_was_made_but_not_begun_is_ended_when_main_is_interrupted(store, monkeypatch, start):
    """As by an interruption between the two, which no signal hits for sure."""
    client, parent = MlflowClient(), "mlflow.parentRunId"
    monkeypatch.setattr(submit, "lend_spark", nullcontext)
    monkeypatch.setattr(submit, "_offered", nullcontext)
    with mlflow.start_run() as main:

        def run(*_, **__):
            for tags in ({}, {"workflow.step": "eda"}):
                below = {parent: main.info.run_id, **tags}
                made.append(client.create_run(main.info.experiment_id, tags=below).info.run_id)
            raise KeyboardInterrupt

        made = [client.create_run(main.info.experiment_id).info.run_id]
        monkeypatch.setattr(mlflow, "run", run)
        monkeypatch.setattr(submit, "load_backend", lambda _: SimpleNamespace(run=run))
        with pytest.raises(KeyboardInterrupt):
            start("split", {}, main.info.experiment_id)
    assert [client.get_run(one).info.status for one in made] == ["RUNNING", "FAILED", "RUNNING"]
