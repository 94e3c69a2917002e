"""Values of a data set's YAML, which is read as texts, lists and mappings; others are refused by name."""

from collections.abc import Mapping
from typing import Any

from common.errors import UserError


def text_in(value: Any, key: str, origin: str) -> str:
    """Return a value that must be a text.

    Args:
        value: The value, as YAML's base loader returns it.
        key: What it is the value of, for the error.
        origin: The data set's name, for the error.

    Raises:
        UserError: It is none, or empty.
    """
    if not isinstance(value, str) or value == "":
        raise UserError(f"{key} of dataset {origin!r} must be non-empty text, got {value!r}")
    return value


def texts_in(value: Any, key: str, origin: str) -> tuple[str, ...]:
    """Return a value that must be a list of texts; see `text_in`."""
    # A single marker of missing values was a text before there could be several.
    listed = [value] if key == "missing" and isinstance(value, str) else value
    if not isinstance(listed, list):
        raise UserError(f"{key} of dataset {origin!r} must be a list, got {value!r}")
    return tuple(text_in(one, key, origin) for one in listed)


def count_in(value: Any, key: str, origin: str) -> int:
    """Return a value that must be a whole number above 0; see `text_in`."""
    is_whole = isinstance(value, str) and value.isascii() and value.isdigit()
    # Longer texts are no number for Python, and more than any table has of anything.
    if not is_whole or len(value) > 18 or int(value) < 1:
        raise UserError(f"{key} of dataset {origin!r} must be a whole number above 0, got {value!r}")
    return int(value)


def share_in(value: Any, key: str, origin: str, hint: str) -> float:
    """Return a value that must be a share, 0 to 1; `hint` ends the error. See `text_in`."""
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise UserError(f"{key} of dataset {origin!r} must be a share from 0 to 1, got {value!r}: {hint}")
    return share


def check_keys(content: Any, known: set[str], required: set[str], what: str) -> None:
    """Refuse what is no mapping, and a mapping with unknown keys or without the required ones.

    Args:
        content: What YAML's base loader returned.
        known: The keys that it may have.
        required: Those that it must have.
        what: What it is, for the error.

    Raises:
        UserError: As said.
    """
    if not isinstance(content, Mapping):
        raise UserError(f"{what} must be a mapping of keys to values")
    for key in content:
        if key not in known:
            raise UserError(f"{what} has the unknown key {key!r}; known: {', '.join(sorted(known))}")
    for key in sorted(required):
        if key not in content:
            raise UserError(f"{what} lacks the key {key!r}")
