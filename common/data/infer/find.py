"""Find the spec of the data set that a step is asked for, and its file."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

from pyspark.sql import SparkSession

from common import DATASET
from common.data.fetch import Location, locate
from common.data.infer.table import Inferred, infer_table
from common.data.spec import DatasetSpec
from common.data.spec_yaml import Given, load_given
from common.errors import UserError

AUTO = "auto"
# Sources that are not a file of the user's; what they are, the data set says.
BUILT_IN = (AUTO, "uci", "sample")
# What is said of a label, and holds for no other one or task.
OF_LABEL = ("task", "labels", "positive", "strata", "leave_out")


class Found(NamedTuple):
    """The spec of a data set, its file where Spark can read it, and what the user should know of it.

    Attributes:
        spec: The spec.
        location: The file.
        told: What the user should know, a line each.
        part: What was given and found if the spec was inferred from a part of the rows; None otherwise.
    """

    spec: DatasetSpec
    location: Location
    told: tuple[str, ...]
    part: tuple[Given, Inferred] | None = None


def find_spec(
    spark: SparkSession | Callable[[], SparkSession],
    dataset: str,
    source: str,
    label: str = AUTO,
    task: str = AUTO,
    positive: str = AUTO,
    reach: Callable[[str], str] = str,
) -> Found:
    """Find a data set's spec: as it is written, or inferred from the file as far as it is not.

    Args:
        spark: The session, or a function that returns it, which is called only to infer.
        dataset: A name under conf/datasets, the path of a YAML file, or auto: all from the file; without
            a label, the built-in data set.
        source: See `locate`; a label without a data set needs a path or URI.
        label: Name of the column to predict; auto: the data set's.
        task: The task; auto: the data set's, or by the label's values.
        positive: The positive one of two labels; auto: the data set's, or by word, or the rarer one.
        reach: Returns a URI at which Spark can read a location's.

    Raises:
        UserError: There is no such data set or file, or it cannot be inferred.
    """
    given = find_given(dataset, source, label, task, positive)
    found = locate(given, source)
    location = replace(found, uri=reach(found.uri))
    if given.is_complete:
        return Found(given.spec(), location, ())
    return _inferred(spark() if callable(spark) else spark, location, given)


def find_again(spark: SparkSession, found: Found, also: Collection[int] | None) -> Found:
    """Infer a spec again that was inferred from a part of the rows.

    Args:
        spark: The session.
        found: The spec.
        also: Hashes of rows that must be looked at as well; None for all rows.

    Raises:
        UserError: The table cannot be inferred.
    """
    assert found.part is not None
    return _inferred(spark, found.location, found.part[0], also)


def _inferred(
    spark: SparkSession, location: Location, given: Given, also: Collection[int] | None = ()
) -> Found:
    try:
        inferred = infer_table(spark, location.uri, given, also)
    except UserError as error:
        # One file of a folder is named as Spark names it, with a single slash.
        is_of_file = str(error).startswith((location.uri, location.uri.replace(":///", ":/", 1)))
        raise UserError(f"source {error}" if is_of_file else str(error)) from None
    part = None if inferred.looked is None else (given, inferred)
    return Found(inferred.spec, location, inferred.told, part)


def find_given(
    dataset: str, source: str, label: str = AUTO, task: str = AUTO, positive: str = AUTO
) -> Given:
    """Return what is said of a data set before its file is looked at; see `find_spec`.

    Raises:
        UserError: There is no such data set, or there is neither one nor a label.
    """
    said = {"label": label, "task": task, "positive": positive}
    given = _said_by_file(dataset, source, label)
    return given_with(given, {key: value for key, value in said.items() if value != AUTO})


def _said_by_file(dataset: str, source: str, label: str) -> Given:
    if dataset != AUTO:
        return load_given(dataset)
    if label == AUTO:
        return load_given(DATASET)
    if source in BUILT_IN:
        raise UserError(
            f"source {source!r} is no file: give source=FILE with label={label}, or dataset=NAME"
        )
    return Given(name=name_of(source), label=label)


def given_with(given: Given, said: dict[str, str]) -> Given:
    """Return what is given, with what is said beside it; what depended on a changed value is inferred."""
    changed: dict[str, Any] = {key: value for key, value in said.items() if value != getattr(given, key)}
    if changed.keys() & {"label", "task"}:
        changed = dict.fromkeys(OF_LABEL) | changed
    elif "positive" in changed:
        changed |= {"labels": None}
    if "label" in changed:
        columns = {
            name: {key: value for key, value in keys.items() if value != "label"}
            for name, keys in given.columns.items()
        }
        columns.get(changed["label"], {}).pop("role", None)
        # A class was read as text; a number is another type.
        columns.get(changed["label"], {}).pop("type", None)
        changed |= {"columns": columns}
    return replace(given, **changed) if changed else given


def name_of(source: str) -> str:
    """Return the name of a data set that is a file: that of the file without its endings."""
    path = unquote(urlparse(source).path) if "://" in source else source
    return Path(path.rstrip("/")).name.split(".")[0] or "table"
