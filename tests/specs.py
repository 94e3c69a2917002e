"""Specs of small tables for tests."""

from common.data.spec import Column, DatasetSpec
from common.data.target import BINARY, MULTICLASS, REGRESSION


def number(name, missing=0.0, type="double"):
    return Column(name, type, "numeric", missing)


def text(name, missing=0.0):
    return Column(name, "string", "category", missing)


def labelled(*columns, labels=("no", "yes"), **more):
    """Return the spec of these columns and the label `y`, one of some texts."""
    task = BINARY if len(labels) == 2 else MULTICLASS
    positive = labels[1] if task == BINARY else ""
    whole = (*columns, Column("y", "string", "label"))
    return DatasetSpec("table", whole, "y", labels, positive, ("y",), task, **more)


def numbered(*columns, **more):
    """Return the spec of these columns and the number `y`, which is predicted."""
    whole = (*columns, Column("y", "double", "label"))
    return DatasetSpec("table", whole, "y", (), "", ("y",), REGRESSION, **more)
