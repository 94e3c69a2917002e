import os

import mlflow
import pytest

from common.machine.host_client import HOST
from common.machine.step_host import StepHost
from common.store import submit


@pytest.fixture
def seen(monkeypatch):
    """What steps find of a host in their environment, each time that one is started."""
    found = []
    host = StepHost(["json"])
    monkeypatch.setattr(submit, "_host", lambda: host)
    monkeypatch.setattr(mlflow, "run", lambda *_, **__: found.append(os.environ.get(HOST)))
    yield host, found
    host.process.communicate()


def test_step_finds_the_host_once_that_has_imported_all(seen):
    host, found = seen
    while not host.path.exists():
        assert host.process.poll() is None
    submit.submit("split", {}, "0")
    submit.submit("featurize", {}, "0")
    host.process.communicate()
    submit.submit("train_grid", {}, "0")
    assert found == [str(host.path), str(host.path), None]
    assert HOST not in os.environ


@pytest.mark.parametrize("failing", [OSError("no memory"), None])
def test_steps_run_without_a_host_where_there_is_none(monkeypatch, failing):
    found = []

    def start(_):
        raise failing or AssertionError("no forks here")

    monkeypatch.setattr(submit, "StepHost", start)
    monkeypatch.setattr(submit, "_host", submit._host.__wrapped__)
    monkeypatch.setattr(submit.sys, "platform", "linux" if failing else "darwin")
    monkeypatch.setattr(mlflow, "run", lambda *_, **__: found.append(os.environ.get(HOST)))
    submit.submit("split", {}, "0")
    assert found == [None]


def test_host_imports_every_step_that_main_runs_after_the_first():
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submit, "StepHost", made.append)
        submit._host.__wrapped__()
    (modules,) = made
    assert {"steps.split", "steps.featurize", "steps.train_grid", "steps.train_ga"} < set(modules)
