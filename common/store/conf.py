"""Load grids, search spaces and gates from conf, from a file or from the command line."""

import json
from collections.abc import Callable, Mapping
from os.path import isfile
from typing import Any

import yaml

from common import ROOT
from common.champion.gates import check_gates
from common.data.target import TASK_NAMES
from common.errors import UserError, first_line
from common.learning.learners import DEFAULT, Learner, default_learner, get_learner
from common.machine.text_file import read_text_file
from common.machine.user_path import user_path
from common.store import artifacts

CONF = ROOT / "conf"
EXAMPLES = {
    "grid": '{"maxDepth": [3, 5]}',
    "space": '{"maxDepth": {"low": 2, "high": 8}}',
    "gates": '{"roc_auc": 0.9}',
}
FOLDERS = {"grid": "grids", "space": "spaces", "gates": "gates"}


def load_grid(grid: str, learner: Learner) -> dict[str, Any]:
    """Read a grid: lists of values by parameter, not yet checked against the learner's ranges.

    Args:
        grid: `auto` (the learner's default), a name under conf/grids, the path of a YAML file, the URI
            of a YAML artifact (runs:/<run id>/next_grid.yaml), or JSON.
        learner: The learner whose default `auto` selects.

    Raises:
        UserError: The grid does not exist, or is not a mapping.
    """
    return _read("grid", learner.grid if grid == "auto" else grid)


def load_space(space: str, learner: Learner) -> dict[str, Any]:
    """Read a search space: {low, high, log} or {choices} by parameter, not yet checked.

    Args:
        space: `auto` (the learner's default), a name under conf/spaces, the path of a YAML file, the URI
            of a YAML artifact, or JSON.
        learner: The learner whose default `auto` selects.

    Raises:
        UserError: The search space does not exist, or is not a mapping.
    """
    return _read("space", learner.space if space == "auto" else space)


def meant_learner(name: str, load: Callable[[Learner], Mapping[str, Any]]) -> Learner:
    """Return the learner with a name; for DEFAULT, a task's default that has the parameters, if any."""
    if name != DEFAULT:
        return get_learner(name)
    defaults = [get_learner(default_learner(task)) for task in TASK_NAMES]
    return next((one for one in defaults if one.parameters.keys() >= load(one).keys()), defaults[0])


def load_gates(gates: str) -> dict[str, float]:
    """Read and check gates: bounds by name; see common.champion.gates.

    Args:
        gates: `none`, a name under conf/gates, the path of a YAML file, the URI of a YAML artifact, or
            JSON.

    Raises:
        UserError: The gates do not exist, or one of them is invalid.
    """
    return {} if gates == "none" else check_gates(_read("gates", gates))


def _read(what: str, given: str) -> dict[str, Any]:
    folder, example = CONF / FOLDERS[what], EXAMPLES[what]
    if given.lstrip().startswith("{"):
        text, shown = given, what
    elif given.startswith("runs:/"):
        text, shown = artifacts.read_text(given), f"{what} {given!r}"
    else:
        is_file = given.endswith((".yaml", ".yml"))
        path = user_path(given) if is_file else folder / f"{given}.yaml"
        # The name of a file that cannot be is no error there.
        if not isfile(path):
            known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
            raise UserError(
                f"{what} {given!r} is unknown: give one of {known}, the path or runs:/ URI of a YAML "
                f"file, or JSON such as {example}"
            )
        text, shown = read_text_file(path, f"{what} {given!r}"), f"{what} {given!r}"
    try:
        content = json.loads(text) if text is given else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{shown} cannot be read: {first_line(error)}") from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{shown} must map parameters to values, as in {example}; got {content!r}")
    return content
