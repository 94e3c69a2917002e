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

# Near its best, the loss changes little from one number of trees to the next.
GROWTH = 2**0.25
# Enough for the largest number of trees that a learner permits.
MOST_ENDS = 55


@dataclass(frozen=True)
class BoostingRule:
    """One boosted model.

    Attributes:
        kind: SPARK or XGBOOST.
        trees: Number of trees, at least 1.
        max_bins: Maximum number of bins per feature.
        booster: XGBoost's parameters for a tree and its weight (max_depth, eta, ...).
        stopping: Number of trees without a gain in the validation rows' loss after which a fit stops; 0
            for no stop.
    """

    kind: str
    trees: int
    max_bins: int
    booster: Mapping[str, Any]
    stopping: int = 0

    @property
    def ends(self) -> tuple[int, ...]:
        """Numbers of trees at which a fit that stops may end, each about a fifth above the one before."""
        return tuple(sorted({min(self.trees, round(GROWTH**step)) for step in range(MOST_ENDS)}))


@dataclass(frozen=True)
class Fit:
    """One model to fit on all folds but one.

    Attributes:
        group: Number of the group of candidates that share the fit.
        fold: The fold that is left out and used for scoring.
        rule: The rule, with the largest number of trees of any candidate in the group.
        trees: Numbers of trees to score: each candidate's, or those at which the only one may stop.
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
    """The result of a fit: the scores for each number of trees that it reached, or its error."""

    group: int
    fold: int
    seconds: float
    scores: list[FoldScore]
    error: str = ""
