"""The columns that a data set's YAML lists."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from common.data.reading import CURRENCY, unit_of
from common.data.spec import ROLES, TYPES, Column
from common.data.spec_values import check_keys, share_in, text_in
from common.errors import UserError

MARKERS = "texts that mark a missing value belong in the data set's own missing: [..]"


def parse_columns(entries: Any, origin: str) -> dict[str, dict[str, str]]:
    """Return what is said of each column, by its name.

    Args:
        entries: The value of `columns`, as YAML's base loader returns it.
        origin: The data set's name in error messages.

    Raises:
        UserError: It is no list of columns, a column is listed twice, or something that is said of one
            is not permitted.
    """
    if not isinstance(entries, list):
        raise UserError(f"columns of dataset {origin!r} must be a list, got {entries!r}")
    keys = {one.name for one in fields(Column)}
    found: dict[str, dict[str, str]] = {}
    for number, entry in enumerate(entries, start=1):
        check_keys(entry, keys, {"name"}, f"column {number} of dataset {origin!r}")
        name = text_in(entry["name"], f"name of column {number}", origin)
        if name.lower() in {known.lower() for known in found}:
            raise UserError(f"dataset {origin!r} names the column {name!r} twice (case is ignored)")
        found[name] = _said(entry, name, origin)
    return found


def _said(entry: Mapping[str, Any], name: str, origin: str) -> dict[str, str]:
    """Return what is said of a column, beside its name."""
    if "missing" in entry:
        share_in(entry["missing"], f"missing of column {name!r}", origin, MARKERS)
    said = {
        key: text_in(value, f"{key} of column {name!r}", origin)
        for key, value in entry.items()
        if key != "name"
    }
    for key, allowed in (("type", tuple(TYPES)), ("role", ROLES)):
        if key in said and said[key] not in allowed:
            raise UserError(
                f"{key} of column {name!r} in dataset {origin!r} must be one of {', '.join(allowed)}, "
                f"got {said[key]!r}"
            )
    if "unit" in said:
        _check_unit(said["unit"], said.get("type", CURRENCY), f"column {name!r} in dataset {origin!r}")
        said["type"] = CURRENCY
    return said


def _check_unit(unit: str, type: str, column: str) -> None:
    if unit_of(unit) != unit:
        raise UserError(f"unit of {column} must be one of $ € £ ¥ ₹, or a code such as EUR, got {unit!r}")
    if type != CURRENCY:
        raise UserError(
            f"unit of {column} is {unit!r}, but its type is {type}: only amounts have one (type currency)"
        )
