"""Grids: every combination of the values listed for each parameter."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from common.errors import UserError, first_line
from common.learners import Learner, Parameters

CONF = Path(__file__).parents[2] / "conf" / "grids"


def load_grid(grid: str, learner: Learner) -> dict[str, Any]:
    """Read a grid.

    Args:
        grid: `auto` (the learner's), a name under conf/grids, the path of a YAML file, or JSON such as
            {"maxDepth": [3, 5]}.
        learner: whose default `auto` is.

    Raises:
        UserError: there is no such grid, or it is no mapping of parameters to lists.
    """
    grid = learner.grid if grid == "auto" else grid
    if grid.lstrip().startswith("{"):
        text, what = grid, "grid"
    else:
        path = Path(grid) if grid.endswith((".yaml", ".yml")) else CONF / f"{grid}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in CONF.glob("*.yaml")))
            raise UserError(
                f"grid {grid!r} is unknown: give one of {known}, the path of a YAML file, or JSON "
                'such as {"maxDepth": [3, 5]}'
            )
        text, what = path.read_text(encoding="utf-8"), f"grid {grid!r}"
    try:
        content = json.loads(text) if text is grid else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{what} cannot be read: {first_line(error)}") from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{what} must map parameters to lists of values, got {content!r}")
    return content


def grid_candidates(grid: dict[str, Any], learner: Learner) -> list[Parameters]:
    """Return every combination of a grid's values, each once, the last parameter changing fastest.

    Raises:
        UserError: the learner has no such parameter, a list is empty, or a value is out of range.
    """
    values = {}
    for name, listed in grid.items():
        if name not in learner.parameters:
            allowed = ", ".join(learner.parameters)
            raise UserError(
                f"grid has the parameter {name!r}, which learner {learner.name!r} does not: its "
                f"parameters are {allowed}"
            )
        if not isinstance(listed, list) or not listed:
            raise UserError(f"grid needs a list of at least one value for {name}, got {listed!r}")
        checked = [learner.parameters[name].check(f"{name} in grid", value) for value in listed]
        values[name] = list(dict.fromkeys(checked))
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
