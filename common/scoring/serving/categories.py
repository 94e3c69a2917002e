"""The categories that have a feature of their own, by the values that belong to them."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

# Stands for a missing value among a column's categories, as in `common/learning/prepare`.
MISSING_TEXT = "(missing)"
# In place of NaN among the values of categories: the very same object, which equals itself in a dict.
NO_NUMBER = float("nan")


def category_places(labels: Sequence[str], kind: str, reading: ModuleType) -> dict[Any, int]:
    """Return the index of each value whose text, as Spark writes it, is one of these categories.

    Args:
        labels: The categories in the order of their indices; MISSING_TEXT stands for a missing value.
        kind: The column's kind, one of those in `reading`.
        reading: The package of reading rules.
    """
    held, nothing = reading.values.HELD[kind]
    places = {
        _value(text, kind, held, reading): place
        for place, text in enumerate(labels)
        if text != MISSING_TEXT
    }
    if MISSING_TEXT in labels:
        places[NO_NUMBER if held is np.float64 else nothing] = labels.index(MISSING_TEXT)
        if held is object:
            # To Spark, this text and a missing one are the same category.
            places[MISSING_TEXT] = labels.index(MISSING_TEXT)
    return places


def _value(text: str, kind: str, held: type, reading: ModuleType) -> Any:
    if kind in (reading.DATE, reading.TIMESTAMP):
        return int(np.datetime64(text, "us").astype(np.int64))
    if held is object:
        return text
    return int(text) if held is np.int64 else float(text)
