"""Specification of a boosted model in XGBoost's terms, and of one fit of it for a worker.

The module imports nothing heavy, so learners can define rules and the driver can plan fits without
loading XGBoost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.data.target import Target
from common.learning.fold_score import FoldScore

# Spark's GBT: residuals of the labels (of two labels, -1 and +1), means in the leaves, its thresholds.
SPARK = "spark"
# XGBoost's own loss for the task, and quantile sketch.
XGBOOST = "xgboost"


@dataclass(frozen=True)
class BoostingRule:
    """One boosted model.

    Attributes:
        kind: SPARK or XGBOOST.
        trees: Number of trees, at least 1.
        max_bins: Maximum number of bins per feature.
        booster: XGBoost's parameters for a tree and its weight (max_depth, eta, ...).
    """

    kind: str
    trees: int
    max_bins: int
    booster: Mapping[str, Any]


@dataclass(frozen=True)
class Fit:
    """One model to fit on all folds but one.

    Attributes:
        group: Number of the group of candidates that share the fit.
        fold: The fold that is left out and used for scoring.
        rule: The rule, with the largest number of trees of any candidate in the group.
        trees: Number of trees of each candidate.
        seed: Seed of the rule's random draws.
        target: What is predicted.
    """

    group: int
    fold: int
    rule: BoostingRule
    trees: tuple[int, ...]
    seed: int
    target: Target

    @property
    def matrix_key(self) -> tuple[str, int, int]:
        """A key that is equal for fits that train on the same matrix."""
        return (self.rule.kind, self.rule.max_bins, self.fold)


@dataclass(frozen=True)
class FitResult:
    """The result of a fit: the scores of each of its candidates, or the error that ended it."""

    group: int
    fold: int
    seconds: float
    scores: list[FoldScore]
    error: str = ""
