"""Counts of scored rows by what their values are, made where the rows are scored.

Spark counts by row and column; Python counts a column of a batch at once.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from common.data import reading
from common.data.reading import DATE, TIMESTAMP, is_missing
from common.scoring.serving.categories import category_places
from common.scoring.serving.scorer import plain

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class RowCounts:
    """Counts of scored rows.

    Attributes:
        unseen: Rows with a category that has no feature of its own, by column.
        examples: The first of these categories in the alphabet, by column; none if all are missing.
        lacking: Rows without a value, by column.
    """

    unseen: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, int] = field(default_factory=dict)

    def as_text(self) -> str:
        """Return the counts as JSON."""
        return json.dumps(asdict(self))


def total(parts: Iterable[str]) -> RowCounts:
    """Add up the counts of batches, each as `RowCounts.as_text` returns it."""
    whole = RowCounts()
    for part in parts:
        one = RowCounts(**json.loads(part))
        for counts, more in ((whole.unseen, one.unseen), (whole.lacking, one.lacking)):
            for name, rows in more.items():
                counts[name] = counts.get(name, 0) + rows
        for name, example in one.examples.items():
            whole.examples[name] = min(example, whole.examples.get(name, example))
    return whole


@dataclass(frozen=True)
class Counted:
    """What is counted.

    Attributes:
        kinds: The kind of each column, as `Form.columns`.
        categories: The categories that have a feature of their own, by column.
        may_lack: The columns whose missing values are counted.
    """

    kinds: Mapping[str, str]
    categories: Mapping[str, Sequence[str]]
    may_lack: Sequence[str]

    def counter(self) -> Callable[[Values], RowCounts]:
        """Return a function from the values of a batch, as `read_rows` returns them, to its counts."""
        known = {
            name: list(category_places(categories, self.kinds[name], reading))
            for name, categories in self.categories.items()
        }

        def count(values: Values) -> RowCounts:
            found = RowCounts()
            for name, of in known.items():
                column = values[name]
                strange = column[~pd.Series(plain(column)).isin(of).to_numpy()]
                if len(strange):
                    found.unseen[name] = len(strange)
                    texts = _texts(strange[~is_missing(strange)], self.kinds[name])
                    found.examples.update({name: min(texts)} if texts else {})
            for name in self.may_lack:
                if rows := int(is_missing(values[name]).sum()):
                    found.lacking[name] = rows
            return found

        return count


def _texts(values: np.ndarray, kind: str) -> list[str]:
    """Return values as texts, each once."""
    distinct = pd.Series(pd.unique(values))
    return distinct.astype(str).tolist() if kind in (DATE, TIMESTAMP) else list(map(str, distinct))
