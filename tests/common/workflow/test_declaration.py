import pytest

from common.search.genetic import CROSSOVERS, MUTATIONS
from common.workflow.declaration import (
    CHAIN,
    MAIN,
    PARAMETERS,
    SEARCHES,
    STEPS,
    entry_defaults,
    entry_points,
    handed_to,
    outputs,
    parameters_of,
)
from common.workflow.mlproject import PAGE, PATH, mlproject, parameters_page


def test_mlproject_is_what_the_declaration_says():
    assert PATH.read_text(encoding="utf-8") == mlproject(), "it is stale: make mlproject"


def test_page_of_parameters_is_what_the_declaration_says():
    assert PAGE.read_text(encoding="utf-8") == parameters_page(), "it is stale: make mlproject"
    assert parameters_page().count("\n| `") == len(PARAMETERS)


@pytest.mark.parametrize("step", STEPS)
def test_step_takes_a_parameter_once_and_every_input(step):
    names = [parameter.name for parameter in parameters_of(step)]
    assert len(names) == len(set(names))
    if step in entry_points():
        assert set(STEPS[step].inputs) <= set(names)
    for before, artifact in STEPS[step].inputs.values():
        assert not artifact or artifact in STEPS[before].outputs


def test_every_parameter_is_of_entry_points_and_has_help():
    for parameter in PARAMETERS:
        assert parameter.steps
        assert set(parameter.steps) <= set(entry_points())
        assert parameter.help.endswith(".")
        assert not parameter.choices or parameter.default in parameter.choices


def test_chain_and_searches_are_steps_in_the_order_of_the_work():
    order = list(STEPS)
    assert sorted((*CHAIN, MAIN), key=order.index) == [*CHAIN, MAIN]
    assert set(SEARCHES) < set(CHAIN)


def test_main_hands_a_step_what_both_take():
    given = {"seed": 7, "grid": "g", "name": "n", "rounds": 2}
    assert handed_to("split", given) == {"seed": 7}
    assert handed_to("train_grid", given) == {"grid": "g", "seed": 7}
    assert handed_to("champion", given) == {"name": "n"}
    assert handed_to("load_data", given) == {}


def test_parameter_of_one_name_may_be_another_one_in_another_step():
    assert entry_defaults("predict")["encoding"] == "auto"
    assert entry_defaults("featurize")["encoding"] == "onehot"
    assert {p.least for p in PARAMETERS if p.name == "generations"} == {0, 1}


def test_required_parameters_have_no_default():
    assert {"input", "output"}.isdisjoint(entry_defaults("predict"))
    assert entry_defaults("predict")["overwrite"] == "false"


def test_eda_without_a_profile_leaves_no_overview():
    assert "overview.html" in outputs("eda", {"profile": "minimal"})
    assert outputs("eda", {"profile": "none"}) == ["describe.csv", "describe.html"]


def test_breeding_is_by_classes_that_optuna_has():
    from optuna.samplers import nsgaii

    assert all(
        hasattr(nsgaii, name) for name in [*CROSSOVERS.values(), *filter(None, MUTATIONS.values())]
    )
