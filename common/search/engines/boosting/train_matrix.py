"""The rows of a fit in XGBoost's form, made of some rows at a time."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import xgboost as xgb

from common.learning.boosting_rule import SPARK, BoostingRule
from common.search.engines.boosting.matrix import Features

# Values that are converted at once, in some 25 bytes each beside XGBoost's form. More are converted again
# each time that XGBoost asks for them, which is a twentieth of a fit of a hundred trees.
VALUES_AT_ONCE = 10_000_000


def train_matrix(
    features: Features, rows: np.ndarray, label: np.ndarray, weight: np.ndarray | None, rule: BoostingRule
) -> xgb.QuantileDMatrix:
    """Return the rows to fit on in XGBoost's form.

    Args:
        features: The features of all rows, for Spark's rule as bin numbers.
        rows: Indices of the rows to fit on, ascending.
        label: The label of each of these.
        weight: The weight of each of these; 1 if None.
        rule: The rule of the fit.
    """
    most, cuts = max_bin(rule), None
    if rule.kind == SPARK:
        # Without this, XGBoost would sort all rows to find bins.
        cuts = xgb.QuantileDMatrix(_each_bin(features), max_bin=most, nthread=1)
    return xgb.QuantileDMatrix(_Parts(features, rows, label, weight), max_bin=most, nthread=1, ref=cuts)


def max_bin(rule: BoostingRule) -> int:
    """Return XGBoost's parameter of this name."""
    # With Spark's rule the features are bin numbers already, and XGBoost must keep each one distinct.
    return max(rule.max_bins, 256) if rule.kind == SPARK else rule.max_bins


def _each_bin(features: Features) -> sp.csr_matrix:
    """Return rows that cover all bins of every numeric feature; the first has all indicators."""
    one, places = features.one, features.places
    first = one.copy()
    first[places] = 0
    last = features.numbers.max(axis=0, initial=0)
    others = np.minimum(np.arange(1, last.max(initial=0) + 1)[:, None], last)
    data = np.concatenate([first, others.ravel()]).astype(np.float32)
    indices = np.concatenate([np.arange(len(one)), np.tile(places, len(others))])
    pointers = np.concatenate([[0], len(one) + len(places) * np.arange(len(others) + 1)])
    return sp.csr_matrix((data, indices, pointers), (len(others) + 1, len(one)))


class _Parts(xgb.DataIter):
    """Hands rows to XGBoost part by part; it asks for all of them several times."""

    def __init__(
        self, features: Features, rows: np.ndarray, label: np.ndarray, weight: np.ndarray | None
    ) -> None:
        step = max(1, VALUES_AT_ONCE * len(features.numbers) // max(1, features.stored))
        self.parts = [slice(start, start + step) for start in range(0, len(rows), step)]
        self.features, self.rows, self.label, self.weight = features, rows, label, weight
        self.next_part, self.made = 0, (-1, sp.csr_matrix((0, 0)))
        super().__init__()

    def reset(self) -> None:
        self.next_part = 0

    def next(self, input_data: Callable[..., None]) -> bool:
        if self.next_part == len(self.parts):
            return False
        part = self.parts[self.next_part]
        # Of a single part the matrix is made once.
        if self.made[0] != self.next_part:
            self.made = self.next_part, self.features.take(self.rows[part]).csr()
        weight = None if self.weight is None else self.weight[part]
        input_data(data=self.made[1], label=self.label[part], weight=weight)
        self.next_part += 1
        return True
