"""What one boosted model is, in XGBoost's terms, and one fit of it that a worker is asked for.

It imports nothing heavy: learners name a rule and the driver plans fits without loading XGBoost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Spark's GBT: residuals of the labels -1 and +1, means in the leaves, thresholds as Spark cuts them.
SPARK = "spark"
# XGBoost's own logistic loss and quantile sketch.
XGBOOST = "xgboost"


@dataclass(frozen=True)
class BoostingRule:
    """One boosted model.

    Attributes:
        kind: SPARK or XGBOOST.
        trees: how many, at least 1.
        max_bins: at most this many values of a feature are told apart.
        booster: XGBoost's parameters of a tree and of its weight (max_depth, eta, ...).
    """

    kind: str
    trees: int
    max_bins: int
    booster: Mapping[str, Any]


@dataclass(frozen=True)
class Fit:
    """One model to fit on all folds but one.

    Attributes:
        group: which candidates it is for.
        fold: that it leaves out and is scored on.
        rule: with the most trees that a candidate of the group wants.
        trees: how many each candidate wants.
        seed: of what the rule draws.
    """

    group: int
    fold: int
    rule: BoostingRule
    trees: tuple[int, ...]
    seed: int

    @property
    def matrix_key(self) -> tuple[str, int, int]:
        """Fits of the same key train on the same matrix."""
        return (self.rule.kind, self.rule.max_bins, self.fold)


@dataclass(frozen=True)
class FitResult:
    """What came of a fit: the scores of each of its candidates, or the error that ended it."""

    group: int
    fold: int
    seconds: float
    scores: list[dict[str, float]]
    error: str = ""
