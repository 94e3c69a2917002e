"""A store that was moved or copied with its checkout: MLflow keeps absolute locations of artifacts.

The store of a checkout is a database in the project's folder, with its artifacts in `mlruns` beside it.
"""

import shlex
from os.path import exists, isdir, isfile, samefile
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

from common import ROOT
from common.errors import UserError
from common.store.locations import local_path

if TYPE_CHECKING:
    # The classes of MLflow's tables take half a second to import, and a store behind a server has none.
    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import InstrumentedAttribute

ARTIFACTS = "mlruns"
COMMAND = "make moved"


def check_place(root: Path = ROOT) -> None:
    """Refuse a store in the project's folder whose artifacts belong in another checkout.

    Args:
        root: The project's folder.

    Raises:
        UserError: The store was moved or copied here.
    """
    for old in _elsewhere(root):
        raise UserError(
            f"the store {_file()} was moved or copied here from {old.parent}, where its artifacts still "
            f"belong: `{COMMAND}` makes it use {root / ARTIFACTS}"
        )


def make_own(root: Path = ROOT) -> dict[Path, int]:
    """Make a store that was moved or copied here use the artifacts in the project's folder.

    All locations are changed, or none.

    Args:
        root: The project's folder.

    Returns:
        The folders of artifacts that the store no longer uses, and how many of its runs were there.

    Raises:
        UserError: Artifacts of some runs are in the other folder only.
    """
    from sqlalchemy import URL, create_engine

    found, new = _elsewhere(root), root / ARTIFACTS
    if not found:
        return {}
    runs = {}
    engine = create_engine(URL.create("sqlite", database=str(_file())))
    with engine.begin() as connection:
        for old in found:
            below = _below(connection, old)
            lacking = [one for one in below if isdir(old / one) and not isdir(new / one)]
            if lacking:
                raise UserError(
                    f"{len(lacking)} of the store's {len(below)} runs have artifacts in {old} only: "
                    f"`cp -Rn {shlex.quote(str(old))} {shlex.quote(str(root))}` copies them; then give "
                    f"`{COMMAND}` again"
                )
            _replace(connection, old, new)
            runs[old] = len(below)
    engine.dispose()
    return runs


def _elsewhere(root: Path) -> list[Path]:
    """Return the folders of artifacts with which the project's store has come from other checkouts."""
    file = _file()
    if file is None or not isfile(file) or not _is_same(file.parent, root):
        return []
    found = []
    for one in MlflowClient().search_experiments(view_type=ViewType.ALL):
        place = local_path(one.artifact_location)
        # Another location was chosen by the user.
        if place is None or (place.parent.name, place.name) != (ARTIFACTS, one.experiment_id):
            continue
        old = place.parents[1]
        # MLflow makes artifacts below the folder where a store is first opened, which may be any.
        came = isdir(root / ARTIFACTS) or not isdir(old) or isfile(old / file.name)
        if came and not _is_same(old, root):
            found.append(place.parent)
    return list(dict.fromkeys(found))


def _locations() -> "tuple[InstrumentedAttribute[str], ...]":
    """Return where MLflow keeps locations. That of a trace is a tag, beside others."""
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
    from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun, SqlTraceTag

    return (
        SqlRun.artifact_uri,
        SqlExperiment.artifact_location,
        SqlLoggedModel.artifact_location,
        SqlModelVersion.source,
        SqlModelVersion.storage_location,
        SqlTraceTag.value,
    )


def _below(connection: "Connection", folder: Path) -> list[str]:
    """Return where runs have their artifacts below a folder."""
    from sqlalchemy import select

    of_runs, *_ = _locations()
    places = (local_path(uri) for uri in connection.scalars(select(of_runs)).all())
    return [str(place.relative_to(folder)) for place in places if place and place.is_relative_to(folder)]


def _replace(connection: "Connection", old: Path, new: Path) -> None:
    """Replace the beginning of every location below a folder."""
    from sqlalchemy import func, update

    for before, after in ((str(old), str(new)), (old.as_uri(), new.as_uri())):
        for column in _locations():
            # LIKE would ignore case.
            begins = func.substr(column, 1, len(before) + 1) == f"{before}/"
            moved = after + func.substr(column, len(before) + 1)
            connection.execute(update(column.class_).where(begins).values({column: moved}))


def _file() -> Path | None:
    """Return the file of a store in SQLite; None for another store."""
    url = mlflow.get_tracking_uri()
    if not url.startswith("sqlite:///"):
        return None
    from sqlalchemy.engine import make_url

    name = make_url(url).database
    return Path(name).absolute() if name else None


def _is_same(one: Path, other: Path) -> bool:
    return one == other or (exists(one) and exists(other) and samefile(one, other))
