"""A table in a JSON request, in each of the forms that MLflow's server knows, as a frame."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .forms import INPUTS, PARTS, SPLIT


def frame_of(form: str, given: Any, model: Any) -> pd.DataFrame:
    """Return a table from one of the server's request formats, with the values as JSON parsed them.

    Args:
        form: One of FORMS.
        given: The table, as JSON parsed it.
        model: The portable model that the request is for.

    Raises:
        ValueError: It is no table of records; so do a TypeError and a KeyError say.
    """
    if form == SPLIT:
        return _split(given)
    if form == INPUTS and isinstance(given, dict):
        if all(isinstance(values, list) for values in given.values()):
            return pd.DataFrame(given, dtype=object)
        given = [given]
    if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
        raise TypeError("expected a list of objects")
    keys: list[Mapping[str, Any]] = []
    for row, record in enumerate(given, 1):
        with model.refusing(f"row {row} of {len(given)}: "):
            keys.append(model.reading.find_keys(list(record), model.form))
    columns = list(model.form.columns)
    rows = [[record[names[c]] for c in columns] for record, names in zip(given, keys, strict=True)]
    return own_named(pd.DataFrame(rows, columns=columns, dtype=object), model)


def own_named(frame: pd.DataFrame, model: Any) -> pd.DataFrame:
    """Mark a frame whose columns have a model's own names, if its rules know of that.

    A process that has loaded several models reads the requests for all by the code of the first.
    """
    mark = getattr(model.reading, "own_named", None)
    return frame if mark is None else mark(frame)


def _split(given: Any) -> pd.DataFrame:
    more = set(given) - PARTS
    if more:
        raise ValueError(f"unexpected {', '.join(map(repr, sorted(more)))}")
    names, data = given["columns"], given["data"]
    if not isinstance(data, list):
        raise TypeError("data is not a list")
    # pandas would fill a short row with nulls.
    for row, values in enumerate(data, 1):
        if not isinstance(values, list) or len(values) != len(names):
            raise ValueError(f"row {row} of {len(data)} is not a list of {len(names)} values")
    return pd.DataFrame(data, columns=names, dtype=object)
