from types import SimpleNamespace

import mlflow
import pytest

from common.store import step_run
from common.store.step_run import BRIEF_BYTES, Run


@pytest.fixture
def data(store):
    with mlflow.start_run() as active:
        mlflow.log_text("x" * 1000, "data/part.parquet")
    return f"runs:/{active.info.run_id}/data"


def run_of(step, **parameters):
    return Run(step, SimpleNamespace(info=SimpleNamespace(run_id="0", experiment_id="0")), parameters)


def test_little_to_read_spares_java_its_second_compiler(data, monkeypatch):
    assert run_of("split", data=data)._is_brief()
    monkeypatch.setitem(BRIEF_BYTES, "split", 999)
    assert not run_of("split", data=data)._is_brief()


def test_size_that_is_not_known_is_taken_for_large(store):
    assert not run_of("split", data="runs:/0123456789abcdef0123456789abcdef/data")._is_brief()
    assert not run_of("load_data", source="s3://far/away.csv")._is_brief()


def test_load_data_is_judged_by_its_file():
    run = run_of("load_data", source="a.csv")
    run.input_bytes = BRIEF_BYTES["load_data"]
    assert run._is_brief()
    run.input_bytes += 1
    assert not run._is_brief()


def test_search_has_both_compilers(data):
    assert not run_of("train_grid", features=data)._is_brief()


@pytest.mark.parametrize(
    ("name", "inputs", "begins"),
    [
        ("train_ga", {"features": "runs:/0123"}, True),
        # If another step must run first, the session would only wait and occupy memory.
        ("train_ga", {"features": "auto"}, False),
        # The size of the input, which the store knows, determines how the session is started.
        ("split", {"data": "runs:/0123/data"}, False),
    ],
)
def test_session_starts_beside_the_run_where_nothing_in_the_store_says_how(
    name, inputs, begins, monkeypatch
):
    monkeypatch.setattr(step_run, "get_session", lambda: "session")
    starting = step_run._start_beside(name, inputs)
    assert (starting.result() if starting else None) == ("session" if begins else None)
