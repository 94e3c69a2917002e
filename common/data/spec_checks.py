"""Checks of a complete spec: names, types and roles of the columns, and the labels."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from common.data.reading import TEXT
from common.data.spec import CATEGORY, LABEL_ROLE, NUMERIC, TYPES, WEIGHT, Column, DatasetSpec, is_number
from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.errors import UserError

# Columns that the steps and Spark's stages add to the data set's own; in lower case, since Spark ignores
# case.
RESERVED = ("prediction", "prediction_index", "probability", "rawprediction", "reason", "line")
OURS = "__"
# Pandas' name for the index of a frame that it writes as Parquet.
PANDAS = re.compile(r"__index_level_\d+__")


def is_reserved(name: str) -> bool:
    """Return whether a column of a data set may not have this name here."""
    begins = name.startswith(OURS) and PANDAS.fullmatch(name) is None
    return begins or name.lower() in RESERVED


def check_renamed(names: Sequence[str], rename: Mapping[str, str], dataset: str) -> None:
    """Refuse a new name of a column that another column has.

    Args:
        names: The names of all columns, with the new ones.
        rename: New names by those in the file.
        dataset: The data set's name.

    Raises:
        UserError: Two columns would have one name.
    """
    taken = Counter(name.lower() for name in names)
    for old, new in rename.items():
        if taken[new.lower()] > 1:
            raise UserError(
                f"rename of dataset {dataset!r} gives column {old!r} the name {new!r}, which another "
                "column has: give it a name of its own"
            )


def check_spec(spec: DatasetSpec) -> None:
    """Refuse a spec whose parts contradict each other.

    Raises:
        UserError: A column's name, type or role, or the labels do not fit.
    """
    for column in spec.columns:
        _check_column(column, spec)
    lower = [name.lower() for name in spec.names]
    for name in spec.names:
        if lower.count(name.lower()) > 1:
            raise UserError(f"dataset {spec.name!r} names the column {name!r} twice (case is ignored)")
    if spec.names_of(LABEL_ROLE) != [spec.label]:
        raise UserError(
            f"label of dataset {spec.name!r} is {spec.label!r}, but the columns with role label are "
            f"{spec.names_of(LABEL_ROLE)}"
        )
    if len(spec.of_role(WEIGHT)) > 1:
        raise UserError(f"dataset {spec.name!r} has several weights: {spec.names_of(WEIGHT)}")
    if not spec.inputs:
        raise UserError(
            f"dataset {spec.name!r} has no column to predict from: give one the role numeric or category"
        )
    _check_labels(spec)
    for name in spec.strata:
        if name not in spec.names:
            raise UserError(f"strata of dataset {spec.name!r} name {name!r}, which is not a column")


def _check_column(column: Column, spec: DatasetSpec) -> None:
    if is_reserved(column.name):
        raise UserError(
            f"column name {column.name!r} in dataset {spec.name!r} is reserved: give it another with "
            "rename:"
        )
    # The first stage of a pipeline is a statement of SQL, in which Spark replaces these.
    if column.role in (NUMERIC, CATEGORY) and any(mark in column.name for mark in ("${", "__THIS__")):
        raise UserError(
            f"column name {column.name!r} in dataset {spec.name!r} has ${{ or __THIS__, which Spark "
            "would replace: give it another with rename:"
        )
    described = f"column {column.name!r} in dataset {spec.name!r}"
    if column.role == NUMERIC and TYPES[column.type] is TYPES[TEXT]:
        raise UserError(
            f"{described} is numeric, so its type must be a number or a date, got {column.type!r}"
        )
    if column.role == WEIGHT and not is_number(column.type):
        raise UserError(f"{described} is a weight, so its type must be a number, got {column.type!r}")
    predicts_number = column.role == LABEL_ROLE and spec.task == REGRESSION
    if predicts_number and not is_number(column.type):
        raise UserError(f"{described} is to be predicted as a number, got the type {column.type!r}")
    if column.role == LABEL_ROLE and not predicts_number and TYPES[column.type] is not TYPES[TEXT]:
        raise UserError(f"{described} is the label, so its type must be string, got {column.type!r}")


def _check_labels(spec: DatasetSpec) -> None:
    count, distinct = len(spec.labels), len(set(spec.labels))
    if spec.task == BINARY and (count != 2 or distinct != 2 or spec.positive != spec.labels[1]):
        raise UserError(
            f"dataset {spec.name!r} needs two labels, the positive one last; got labels "
            f"{list(spec.labels)} and positive {spec.positive!r}"
        )
    if spec.task == MULTICLASS and (count < 3 or distinct != count):
        raise UserError(
            f"dataset {spec.name!r} needs at least three labels that differ, got {list(spec.labels)}"
        )
    if both := set(spec.labels).intersection(spec.leave_out):
        raise UserError(f"dataset {spec.name!r} has {min(both)!r} under labels and under leave_out")
    if spec.task == REGRESSION and spec.leave_out:
        raise UserError(
            f"dataset {spec.name!r} predicts a number, but leaves out labels {list(spec.leave_out)}"
        )
    if spec.task == REGRESSION and spec.labels:
        raise UserError(f"dataset {spec.name!r} predicts a number, but has labels {list(spec.labels)}")
