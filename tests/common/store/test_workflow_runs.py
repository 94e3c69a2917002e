import mlflow
import pytest

from common.errors import UserError
from common.store import tracking
from common.store.workflow_runs import (
    STEP_RUNS,
    candidates_of,
    features_of,
    find_workflow,
    source_of,
    split_of,
)
from common.workflow.declaration import CHAIN


@pytest.fixture
def leave(store):
    """Log the finished run of a step with inputs; returns its id."""

    def leave(step, **inputs):
        tags = {tracking.INPUT + name: uri for name, uri in inputs.items()}
        with mlflow.start_run(tags={tracking.STEP: step, **tags}) as run:
            return run.info.run_id

    return leave


@pytest.fixture
def chain(leave):
    """The runs of a whole chain with two searches, by name."""
    ids = {"load_data": leave("load_data")}
    data = f"runs:/{ids['load_data']}/data"
    ids["eda"] = leave("eda", data=data)
    ids["split"] = leave("split", data=data)
    ids["featurize"] = leave("featurize", split=f"runs:/{ids['split']}")
    features = f"runs:/{ids['featurize']}"
    ids["ga"], ids["grid"] = leave("train_ga", features=features), leave("train_grid", features=features)
    ids["champion"] = leave("champion", candidates=f"runs:/{ids['grid']},runs:/{ids['ga']}")
    return ids


ALL = ["load_data", "eda", "split", "featurize", "grid", "ga", "champion"]


def steps(workflow):
    return [run.info.run_id for run in workflow.steps]


@pytest.mark.parametrize("start", ["champion", "grid", "ga", "featurize"])
def test_whole_workflow_is_found_from_a_run_of_it(chain, store, start):
    found = find_workflow(chain[start], store)
    assert steps(found) == [chain[name] for name in ALL]
    assert found.main is None


def test_work_that_depends_on_a_run_is_not_guessed_from_early_steps(chain, store):
    assert steps(find_workflow(chain["split"], store)) == [
        chain[n] for n in ("load_data", "eda", "split")
    ]


def test_main_names_its_steps_though_they_ran_before(chain, leave, store):
    main = leave("main")
    listed = [chain[name] for name in ALL if name != "ga"]
    mlflow.MlflowClient().set_tag(main, STEP_RUNS, ",".join(listed))
    found = find_workflow("auto", store)
    assert found.main.info.run_id == main
    assert steps(found) == listed


@pytest.mark.parametrize("steps_of_main", [300, 1])
def test_lists_that_no_tag_can_hold_are_whole(chain, leave, store, steps_of_main):
    many = [chain["grid"]] * steps_of_main + [chain["ga"]]
    main = leave("main")
    for name, value in tracking.list_tags(STEP_RUNS, [chain["split"], *many]).items():
        mlflow.MlflowClient().set_tag(main, name, value)
    assert {chain["grid"], chain["ga"]} <= set(steps(find_workflow(main, store)))
    uris = [f"runs:/{run_id}" for run_id in many]
    tags = tracking.list_tags(f"{tracking.INPUT}candidates", uris)
    with mlflow.start_run(tags={tracking.STEP: "champion", **tags}) as run:
        pass
    judge = mlflow.get_run(run.info.run_id)
    assert candidates_of(judge) == many
    assert tracking.listed(judge.data.tags, "nothing") == []


def test_auto_is_what_ended_last(chain, leave, store):
    leave("main")
    other = leave("train_grid", features="runs:/gone")
    assert steps(find_workflow("auto", store)) == [other]


def test_runs_that_are_gone_are_left_out(chain, store):
    mlflow.MlflowClient().delete_run(chain["eda"])
    mlflow.MlflowClient().delete_run(chain["ga"])
    found = find_workflow("auto", store)
    assert steps(found) == [chain[name] for name in ALL if name not in ("eda", "ga")]


def test_search_that_was_killed_is_shown_beside_those_that_finished(chain, leave, store):
    killed = leave("train_grid", features=f"runs:/{chain['featurize']}")
    mlflow.MlflowClient().set_terminated(killed, "KILLED")
    found = find_workflow(killed, store)
    assert [run.info.run_id for run in found.searches] == [chain["grid"], killed, chain["ga"]]


def test_run_of_something_else_is_refused(leave, store):
    with pytest.raises(
        UserError, match=r"workflow must be auto or a run of main, .* is a run of candidate"
    ):
        find_workflow(leave("candidate"), store)


def test_nothing_that_ran_is_one_line(store):
    with pytest.raises(UserError, match="run `make main` first"):
        find_workflow("auto", store)


def test_champion_by_hand_is_no_workflow_of_its_own(chain, leave, store):
    leave("champion")
    assert steps(find_workflow("auto", store)) == [chain[name] for name in ALL]


def test_search_that_the_project_no_longer_has_is_left_out(chain, leave, store):
    """The report of a champion run with a winner of train_ga was a trace once train_ga was removed."""
    old = leave("train_pso", features=f"runs:/{chain['featurize']}")
    champion = leave("champion", candidates=f"runs:/{chain['grid']},runs:/{old}")
    found = find_workflow(champion, store)
    assert [run.info.run_id for run in found.searches] == [chain["grid"]]


def test_features_of_a_search_are_known_until_it_is_deleted(chain, leave):
    assert features_of(chain["ga"]) == f"runs:/{chain['featurize']}"
    assert [features_of(search) for search in (leave("train_ga"), "", "0" * 32)] == [""] * 3
    mlflow.delete_run(chain["ga"])
    assert features_of(chain["ga"]) == ""


@pytest.fixture
def select(monkeypatch):
    """A step of one's own between featurize and the searches."""
    with_it = (*CHAIN[:4], "select", *CHAIN[4:])
    monkeypatch.setattr("common.store.workflow_runs.CHAIN", with_it)


@pytest.mark.parametrize("start", ["main", "search"])
def test_step_of_ones_own_before_the_search_is_part_of_the_workflow(chain, leave, store, select, start):
    selected = leave("select", features=f"runs:/{chain['featurize']}")
    search = leave("train_grid", features=f"runs:/{selected}")
    before = [chain[name] for name in ("load_data", "eda", "split", "featurize")]
    main = leave("main")
    mlflow.MlflowClient().set_tag(main, STEP_RUNS, ",".join([*before, selected, search]))
    found = find_workflow({"main": main, "search": search}[start], store)
    assert steps(found) == [*before, selected, search]


def test_split_and_source_are_known_through_a_step_of_ones_own(chain, leave, store):
    mlflow.MlflowClient().set_tag(chain["load_data"], "source", "sample")
    selected = leave("select", features=f"runs:/{chain['featurize']}")
    split = split_of(f"runs:/{selected}")
    assert split.info.run_id == chain["split"]
    assert source_of(split) == "sample"


def test_runs_of_a_step_that_was_removed_since_are_still_shown(chain, store, monkeypatch):
    left = tuple(name for name in CHAIN if name != "eda")
    monkeypatch.setattr("common.store.workflow_runs.CHAIN", left)
    assert chain["eda"] in steps(find_workflow(chain["champion"], store))
