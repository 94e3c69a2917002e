"""MLproject, the commands and the pins must agree."""

import importlib
import re

import pytest
import yaml

from common import CHAMPION_URI, DATASET
from common.store.conf import CONF
from common.store.registry import model_name
from tests.project import ROOT

PROJECT = yaml.safe_load((ROOT / "MLproject").read_text())
ENTRY_POINTS = PROJECT["entry_points"]


def command(name):
    return getattr(importlib.import_module(f"steps.{name}"), name)


def test_project_has_the_documented_entry_points():
    assert list(ENTRY_POINTS) == [
        *[
            "load_data",
            "eda",
            "split",
            "featurize",
            "train_grid",
            "train_ga",
            "champion",
            "describe_table",
            "predict",
            "report",
            "main",
        ]
    ]


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_defaults_of_project_and_command_are_the_same(name):
    options = {option.name: option for option in command(name).params}
    declared = ENTRY_POINTS[name]["parameters"]
    assert set(declared) == set(options)
    for key, parameter in declared.items():
        assert ("default" in parameter) != options[key].required
        if options[key].required:
            continue
        default = options[key].default
        assert parameter["default"] == (
            str(default).lower() if isinstance(default, bool) else str(default)
        )


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_parameter_reaches_the_command(name):
    entry = ENTRY_POINTS[name]
    passed = dict(re.findall(r"--([a-z-]+) \{([a-z_]+)\}", entry["command"]))
    assert set(passed.values()) == set(entry["parameters"])
    assert all(option.replace("-", "_") == name for option, name in passed.items())


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_option_has_help(name):
    assert command(name).help
    assert all(option.help for option in command(name).params)


@pytest.mark.parametrize("name", ["predict", "serve", "image"])
def test_commands_take_the_champion_that_main_makes_by_default(name):
    (model,) = [option for option in command(name).params if option.name == "model"]
    assert model.default == CHAMPION_URI == f"models:/{model_name('auto', DATASET)}@champion"


def test_all_requirements_are_pinned():
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    assert all(re.match(r"[A-Za-z0-9._-]+==[^=]+$", line.split(";")[0].strip()) for line in lines if line)
    asked = re.findall(r"^([A-Za-z0-9._-]+==\S+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    pinned = {line.split(";")[0].strip().lower() for line in lines}
    assert {line.lower() for line in asked} <= pinned


def test_committed_grids_are_lists_of_values():
    for path in (CONF / "grids").glob("*.yaml"):
        content = yaml.safe_load(path.read_text())
        grids = content.values() if path.stem == "auto" else [content]
        for given in grids:
            for grid in given if isinstance(given, list) else [given]:
                assert all(isinstance(values, list) for values in grid.values())
