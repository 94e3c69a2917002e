"""What was scored, in counts: rows, unseen categories, missing values, and the labels predicted."""

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .categories import NO_NUMBER, category_places
from .scorer import plain


class Batch(NamedTuple):
    """What was scored at once.

    Attributes:
        rows: Number of records.
        unseen: Number of values without a feature of their own, for each column of categories.
        predicted: Number of records by predicted label; empty if a number is predicted.
        missing: Number of missing values, for each column that may lack some.
    """

    rows: int
    unseen: Mapping[str, int]
    predicted: Mapping[str, int]
    missing: Mapping[str, int]


class Counter:
    """Counts what a model scores, and tells somebody."""

    def __init__(
        self, reading: ModuleType, form: Any, known: Mapping[str, Any], tell: Callable[[Batch], None]
    ) -> None:
        """Prepare the categories.

        Args:
            reading: The package of reading rules stored with the model.
            form: The form of the records that the model takes.
            known: The model's metadata: `columns`, with their `categories` if their values are such, and
                the share that is `missing` in the data set.
            tell: Takes the counts of each batch.
        """
        self._tell = tell
        self._known = {
            name: category_places(column["categories"], form.columns[name], reading)
            for name, column in known.get("columns", {}).items()
            if "categories" in column
        }
        self._is_missing = reading.is_missing
        self._may_lack = [n for n, column in known.get("columns", {}).items() if column.get("missing")]

    def count(self, values: Mapping[str, np.ndarray], prediction: np.ndarray) -> None:
        """Count a batch.

        Args:
            values: The values of each column, as they were scored.
            prediction: The pipeline's predictions.
        """
        unseen = {
            name: sum(value not in known for value in _comparable(values[name]))
            for name, known in self._known.items()
        }
        labels = Counts(prediction.tolist()) if prediction.dtype == object else {}
        missing = {name: int(self._is_missing(values[name]).sum()) for name in self._may_lack}
        self._tell(Batch(len(prediction), unseen, labels, missing))


def _comparable(values: np.ndarray) -> list[Any]:
    """Return values with NO_NUMBER in place of each NaN, since no NaN is equal to another."""
    found: list[Any] = plain(values).tolist()
    return (
        [value if value == value else NO_NUMBER for value in found] if values.dtype.kind == "f" else found
    )
