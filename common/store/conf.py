"""Load grids, search spaces and gates from conf, from a file or from the command line."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common import ROOT
from common.champion.gates import check_gates
from common.data.target import TASK_NAMES
from common.errors import UserError, first_line
from common.learning.learners import DEFAULT, Learner, default_learner, get_learner
from common.learning.metrics import DEFAULT_METRIC
from common.learning.parameters import Parameters
from common.search.breeding import Breeding
from common.search.engines.choice import check_engine
from common.search.genetic import GeneticSearch
from common.search.grid import GridSearch
from common.search.race import genetic_race, grid_race
from common.search.search import Proposer
from common.search.space import make_space
from common.store import artifacts

CONF = ROOT / "conf"
EXAMPLES = {
    "grid": '{"maxDepth": [3, 5]}',
    "space": '{"maxDepth": {"low": 2, "high": 8}}',
    "gates": '{"roc_auc": 0.9}',
}
Tell = Callable[[str], None]


def _silent(_: str) -> None:
    pass


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


def grid_proposer(grid: str, learner: Learner, metric: str, tell: Tell = _silent) -> Proposer:
    """Return the search of a grid, or the race over one grid a learner.

    Args:
        grid: See `load_grid`.
        learner: The learner, or a race.
        metric: The metric that ranks candidates.
        tell: Receives a line about who goes on in a race.

    Raises:
        UserError: The grid does not exist or does not fit the learner.
    """
    content = load_grid(grid, learner)
    if learner.entrants:
        return grid_race(content, learner, metric, tell)
    return GridSearch(content, learner)


def genetic_proposer(
    space: str,
    learner: Learner,
    metric: str,
    breeding: Breeding,
    seed: int,
    first: Sequence[Parameters] = (),
    tell: Tell = _silent,
) -> Proposer:
    """Return the genetic search of a space, or the race over one space a learner.

    Args:
        space: See `load_space`.
        learner: The learner, or a race.
        metric: The metric that ranks candidates.
        breeding: The settings of the search.
        seed: Seed of all random draws.
        first: Candidates that start the first generation; a race has its own.
        tell: Receives a line about who goes on in a race.

    Raises:
        UserError: The space does not exist or does not fit the learner.
    """
    content = load_space(space, learner)
    if learner.entrants:
        return genetic_race(content, learner, metric, breeding, seed, tell)
    return GeneticSearch(make_space(content, learner), metric, breeding, seed, first)


def check_grid(name: str, grid: str, engine: str) -> None:
    """Refuse a grid that a learner cannot search; of no learner's name, one that no default can.

    Raises:
        UserError: The learner does not exist, or the grid or engine does not fit it.
    """
    learner = _meant(name, lambda one: load_grid(grid, one))
    check_engine(learner, engine, grid_proposer(grid, learner, DEFAULT_METRIC).names)


def check_space(name: str, space: str, engine: str) -> None:
    """Refuse a search space that a learner cannot search; see `check_grid`."""
    learner = _meant(name, lambda one: load_space(space, one))
    proposer = genetic_proposer(space, learner, DEFAULT_METRIC, Breeding(), seed=0)
    check_engine(learner, engine, proposer.names)


def _meant(name: str, load: Callable[[Learner], Mapping[str, Any]]) -> Learner:
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
        path = Path(given) if given.endswith((".yaml", ".yml")) else folder / f"{given}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
            raise UserError(
                f"{what} {given!r} is unknown: give one of {known}, the path or runs:/ URI of a YAML "
                f"file, or JSON such as {example}"
            )
        text, shown = path.read_text(encoding="utf-8"), f"{what} {given!r}"
    try:
        content = json.loads(text) if text is given else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{shown} cannot be read: {first_line(error)}") from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{shown} must map parameters to values, as in {example}; got {content!r}")
    return content
