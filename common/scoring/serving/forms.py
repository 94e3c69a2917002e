"""The forms in which MLflow's server takes a table in a JSON request."""

import json
from collections import Counter
from typing import Any

SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
FORMS = frozenset((SPLIT, RECORDS, INSTANCES, INPUTS))
# What a table by SPLIT may have.
PARTS = frozenset(("columns", "data", "index"))


def parse_json(body: str | bytes) -> Any:
    """Parse JSON in which no object has a key twice.

    Raises:
        ValueError: It is no JSON, or an object has a key twice: parsers take one of its values, and say
            nothing.
    """
    return json.loads(body, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, often in Counter(key for key, _ in pairs).items() if often > 1)
        raise ValueError(f"an object has the key {twice!r} twice")
    return found
