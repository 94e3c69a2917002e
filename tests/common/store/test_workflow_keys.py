"""A step's key contains everything that its result depends on, so that no wrong run is reused."""

import shutil

import pytest

from common.data.spec_yaml import CONF
from common.store import get_or_run
from common.workflow import declaration

STEPS = declaration.CHAIN
# Other values of the parameters that are parsed, not just compared.
OTHER = {
    "grid": '{"maxDepth": [9]}',
    "space": '{"maxDepth": {"low": 2, "high": 9}}',
    "learner": "random_forest",
    "gates": '{"f1": 0.6}',
}


@pytest.fixture(autouse=True)
def fingerprint(monkeypatch):
    """A stand-in for the hash of the source code, which is slow; a test may change it."""
    monkeypatch.setattr(get_or_run, "source_fingerprint", lambda _: "source")


def parameters(step, slice_file):
    """All parameters of a step at their defaults, with resolved inputs."""
    found = declaration.entry_defaults(step) | {"source": str(slice_file)}
    found |= {"learner": "gbt"} if "learner" in found else {}
    return found | {name: f"runs:/abc/{artifact}" for name, (_, artifact) in inputs(step).items()}


def inputs(step):
    return declaration.STEPS[step].inputs


def own(step):
    origin = () if step == "load_data" else declaration.ORIGIN
    return [name for name in declaration.entry_defaults(step) if name not in origin]


EACH = [(step, name) for step in STEPS[1:] for name in own(step)]


def test_there_is_something_to_check():
    assert ("split", "seed") in EACH
    assert ("train_ga", "warm_start") in EACH
    assert len(EACH) > 30


@pytest.mark.parametrize(("step", "name"), EACH, ids=lambda value: value)
def test_every_parameter_of_a_step_is_in_its_key(step, name, slice_file):
    given = parameters(step, slice_file)
    other = {**given, name: OTHER.get(name, "other")}
    assert get_or_run.step_key(step, given) != get_or_run.step_key(step, other)


@pytest.mark.parametrize("step", STEPS[1:])
def test_place_that_data_come_from_is_in_the_key_of_load_data_alone(step, slice_file):
    given = parameters(step, slice_file)
    other = {**given, "dataset": "other", "source": "elsewhere"}
    assert get_or_run.step_key(step, given) == get_or_run.step_key(step, other)


def test_same_parameters_in_another_order_have_the_same_key(slice_file):
    given = parameters("split", slice_file)
    turned = dict(reversed(given.items()))
    assert list(turned) != list(given)
    assert get_or_run.step_key("split", turned) == get_or_run.step_key("split", given)


def test_steps_of_equal_parameters_have_keys_of_their_own(slice_file):
    given = {"features": "runs:/abc", "seed": "1"}
    keys = {get_or_run.step_key(step, given) for step in ("train_grid", "train_ga", "featurize")}
    assert len(keys) == 3
    assert all(len(key) == 64 and int(key, 16) for key in keys)


def test_source_code_is_in_every_key(slice_file, monkeypatch):
    before = [get_or_run.step_key(step, parameters(step, slice_file)) for step in STEPS]
    monkeypatch.setattr(get_or_run, "source_fingerprint", lambda _: "other source")
    after = [get_or_run.step_key(step, parameters(step, slice_file)) for step in STEPS]
    assert all(one != other for one, other in zip(before, after, strict=True))


def load_key(dataset, source):
    return get_or_run.step_key("load_data", {"dataset": str(dataset), "source": str(source)})


def test_spec_of_the_data_set_is_in_the_key_of_load_data(slice_file, tmp_path):
    path = tmp_path / "adult.yaml"
    shutil.copy(CONF / "adult.yaml", path)
    before = load_key(path, slice_file)
    text = path.read_text()
    path.write_text("# a remark\n" + text)
    assert load_key(path, slice_file) == before
    path.write_text(text.replace("strata: [income, sex]", "strata: [income]"))
    assert load_key(path, slice_file) != before


def test_content_and_place_of_the_file_are_in_the_key_of_load_data(slice_file, tmp_path):
    one, two = tmp_path / "one.data", tmp_path / "two.data"
    for path in (one, two):
        shutil.copy(slice_file, path)
    before = load_key("adult", one)
    assert load_key("adult", one) == before
    assert load_key("adult", two) != before
    one.write_text(one.read_text().replace("39", "40", 1))
    assert load_key("adult", one) != before


def test_sample_has_a_key_of_its_own(slice_file):
    assert load_key("adult", "sample") != load_key("adult", slice_file)


@pytest.mark.parametrize(
    ("step", "name", "text", "other"),
    [
        ("train_grid", "grid", "maxDepth: [2, 3]\n", "maxDepth: [2, 4]\n"),
        ("train_ga", "space", "maxDepth: {low: 1, high: 3}\n", "maxDepth: {low: 1, high: 4}\n"),
    ],
)
def test_grids_and_spaces_are_in_the_key_by_their_content(step, name, text, other, slice_file, tmp_path):
    given = parameters(step, slice_file)
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(text)
    two.write_text("# the same\n" + text)
    keys = [get_or_run.step_key(step, {**given, name: str(path)}) for path in (one, two)]
    assert keys[0] == keys[1]
    one.write_text(other)
    assert get_or_run.step_key(step, {**given, name: str(one)}) != keys[0]
    default = get_or_run.step_key(step, given)
    assert default != keys[0]


def test_gates_are_in_the_key_by_their_content(slice_file):
    given = parameters("champion", slice_file)
    keys = [
        get_or_run.step_key("champion", {**given, "gates": gates})
        for gates in ('{"f1": 0.6}', '{"f1":0.60}', '{"f1": 0.7}')
    ]
    assert keys[0] == keys[1] != keys[2]
