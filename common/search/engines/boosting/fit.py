"""The worker's part of the boosting engine: fit boosted trees with XGBoost and score them.

Nothing here imports Spark, so workers load only what they need.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import xgboost as xgb

from common.data.target import BINARY, MULTICLASS, REGRESSION, Target
from common.errors import first_line
from common.learning.boosting_rule import SPARK, BoostingRule, Fit, FitResult
from common.learning.class_metrics import class_table
from common.learning.fold_score import fold_score
from common.learning.metrics import EPSILON, ScoreTable
from common.learning.number_metrics import number_table
from common.learning.tasks import Table
from common.search.engines.boosting.matrix import FoldMatrix, Samples, SamplesBySize
from common.search.engines.boosting.thresholds import sampled_rows
from common.search.engines.boosting.train_matrix import max_bin, train_matrix


def run_fits(fits: Sequence[Fit], matrix: FoldMatrix, samples: SamplesBySize) -> Iterator[FitResult]:
    """Run fits one after another on one core; a fit that fails does not stop the others.

    Args:
        fits: The fits, grouped by matrix key.
        matrix: All training rows.
        samples: Samples for every size that a fit by Spark's rule needs.

    Yields:
        The result of each fit.
    """
    for _, sharing in groupby(fits, key=lambda fit: fit.matrix_key):
        sides: _Sides | None = None
        for fit in sharing:
            started = time.perf_counter()
            try:
                sides = sides or _sides(fit, matrix, samples)
                margins, losses, seconds = _fit(fit, sides)
                tables = [_table(margin, sides.true_label, fit.target) for margin in margins]
                found = [fold_score(*each) for each in zip(tables, losses, strict=True)]
                yield FitResult(fit.group, fit.fold, seconds, found)
            except Exception as error:
                # XGBoost adds a trace of its own code.
                message = f"{type(error).__name__}: {first_line(error)}"
                yield FitResult(fit.group, fit.fold, time.perf_counter() - started, [], message)


@dataclass(frozen=True)
class _Sides:
    train: xgb.QuantileDMatrix
    label: np.ndarray
    weight: np.ndarray | None
    validation: xgb.DMatrix
    true_label: np.ndarray


def _sides(fit: Fit, matrix: FoldMatrix, samples: SamplesBySize) -> _Sides:
    rule = fit.rule
    if rule.kind == SPARK:
        sample: Samples = samples[sampled_rows(rule.max_bins)]
        cuts = matrix.cuts(sample.places[fit.fold], sample.rows[fit.fold], rule.max_bins)
        features = matrix.binned(cuts)
    else:
        features = matrix.features()
    out = matrix.fold == fit.fold
    label, true_label = matrix.label[~out], matrix.label[out]
    weight, true_weight = (None if matrix.weight is None else matrix.weight[side] for side in (~out, out))
    left_out = features.take(np.flatnonzero(out)).csr()
    validation = xgb.DMatrix(left_out, true_label, weight=true_weight, nthread=1)
    train = train_matrix(features, np.flatnonzero(~out), label, weight, rule)
    return _Sides(train, label, weight, validation, true_label)


def _fit(fit: Fit, sides: _Sides) -> tuple[list[np.ndarray], list[float | None], float]:
    """Return the validation margins and weighted losses at the numbers of trees that it reached.

    The losses are None unless rows have weights and the fit may stop. Last come its seconds.
    """
    started = time.perf_counter()
    rule = fit.rule
    parameters = _parameters(rule, fit.seed)
    middle, unit = 0.0, 1.0
    watched: dict[str, dict[str, list[float]]] = {}
    if rule.kind == SPARK:
        found = boosted(sides.train, sides.label, sides.weight, rule, fit.target.task, fit.seed)
        booster, middle = found.booster, found.middle
        # Spark's margin F of two labels corresponds to a probability of 1 / (1 + exp(-2F)).
        unit = 2.0 if fit.target.task == BINARY else found.unit
    else:
        parameters["objective"], parameters["eval_metric"] = OBJECTIVES[fit.target.task]
        if fit.target.task == MULTICLASS:
            parameters["num_class"] = fit.target.classes
        evals = {
            "evals": [(sides.validation, VALIDATION)],
            "verbose_eval": False,
            "evals_result": watched,
        }
        stop = {"early_stopping_rounds": rule.stopping, **evals} if rule.stopping else {}
        booster = xgb.train(parameters, sides.train, rule.trees, **stop)
    seconds = time.perf_counter() - started
    reached = [trees for trees in fit.trees if trees <= booster.num_boosted_rounds()]
    margins = [
        booster.predict(sides.validation, output_margin=True, iteration_range=(0, trees))
        for trees in reached
    ]
    losses: list[float | None] = [None] * len(reached)
    if watched and sides.weight is not None:
        (by_tree,) = watched[VALIDATION].values()
        losses = [by_tree[trees - 1] for trees in reached]
    if (middle, unit) == (0.0, 1.0):
        return margins, losses, seconds
    return [middle + unit * margin.astype(float) for margin in margins], losses, seconds


def _parameters(rule: BoostingRule, seed: int) -> dict[str, Any]:
    fixed = {"tree_method": "hist", "nthread": 1, "verbosity": 0, "seed": seed}
    return {**fixed, "max_bin": max_bin(rule), **rule.booster}


@dataclass(frozen=True)
class Boosted:
    """Trees that were fitted by Spark's rule.

    Attributes:
        booster: The trees; their sum is the margin.
        label: The labels that they were fitted to: 0 or 1, or numbers without middle and unit.
        middle, unit: What makes the sum a number as the data set has it.
    """

    booster: xgb.Booster
    label: np.ndarray
    middle: float = 0.0
    unit: float = 1.0


def boosted(
    train: xgb.DMatrix,
    label: np.ndarray,
    weight: np.ndarray | None,
    rule: BoostingRule,
    task: str,
    seed: int,
) -> Boosted:
    """Fit trees by Spark's rule for a task; see `boost_like_spark`."""
    middle, unit = 0.0, 1.0
    if task == REGRESSION:
        label, middle, unit = standardized(label)
    parameters = _parameters(rule, seed)
    booster = boost_like_spark(train, label, rule.trees, parameters, SPARK_LOSSES[task], weight)
    return Boosted(booster, label, middle, unit)


def standardized(number: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return numbers with median 0 and a spread of about 1, with the median and the unit taken out.

    XGBoost computes a split's gain in single precision from sums of squares. So it would see nothing in
    numbers that are large beside their spread. Spark's trees are the same for numbers in any unit and
    from any zero. From the mean, one number far away would leave all others large beside their spread.
    """
    middle = float(np.median(number))
    apart = number - middle
    most = float(np.abs(apart).max())
    if most == 0:
        return apart, middle, 1.0
    spread = most * float(np.sqrt(np.mean((apart / most) ** 2)))
    # A power of two, so that no digit is lost.
    unit = float(2.0 ** np.round(np.log2(spread)))
    return apart / unit, middle, unit


VALIDATION = "validation"
# The loss, and XGBoost's name of the same loss as a metric.
OBJECTIVES = {
    BINARY: ("binary:logistic", "logloss"),
    MULTICLASS: ("multi:softprob", "mlogloss"),
    REGRESSION: ("reg:squarederror", "rmse"),
}


@dataclass(frozen=True)
class SparkLoss:
    """A loss of Spark's boosted trees.

    Attributes:
        target: The numbers that the first tree is fitted to, for the labels.
        residual: The numbers that a later tree is fitted to, for these and the margins.
    """

    target: Callable[[np.ndarray], np.ndarray]
    residual: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _logistic_residual(sign: np.ndarray, margin: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        found: np.ndarray = 4 * sign / (1 + np.exp(2 * sign * margin))
    return found


# Source: Spark's `LogLoss` and `SquaredError`; labels become -1 and +1.
SPARK_LOSSES = {
    BINARY: SparkLoss(lambda label: (2 * label - 1).astype(np.float32), _logistic_residual),
    REGRESSION: SparkLoss(lambda label: label, lambda number, margin: 2 * (number - margin)),
}


# XGBoost refuses gains below a millionth: of few rows, of residuals that are almost learnt, or of all
# numbers but one that is far away. Gradients are this much larger and eta as much smaller, which leaves
# the trees as they are. A power of two, so that no digit is lost, and small enough for the largest gains.
SCALE = 2.0**30


def boost_like_spark(
    train: xgb.DMatrix,
    label: np.ndarray,
    trees: int,
    parameters: dict[str, Any],
    loss: SparkLoss = SPARK_LOSSES[BINARY],
    weight: np.ndarray | None = None,
) -> xgb.Booster:
    """Fit trees by the rule of Spark's GBTClassifier or GBTRegressor.

    The first tree is fitted to the labels y (of two labels, -1 and +1) and has weight 1. Each later tree
    is fitted to the residual, for the margin F 4y / (1 + exp(2yF)) or 2(y - F), and has weight eta.
    Splits maximise the reduction in variance and leaves predict the mean: gradient -residual, hessian 1,
    no regularisation.

    Source: Spark's `GradientBoostedTrees.boost`.

    Args:
        train: Binned features of the training rows.
        label: Label of each row: 0 or 1, or a number.
        trees: Number of trees, at least 1.
        parameters: XGBoost's parameters, including max_depth and eta.
        loss: The loss.
        weight: Weight of each row; 1 if None.
    """
    fixed = {"lambda": 0, "alpha": 0, "base_score": 0, "objective": "reg:squarederror"}
    number = loss.target(label)
    # Each row's second derivative: leaves are then weighted means.
    second = np.ones_like(number) if weight is None else with_mean_near_one(weight)
    if weight is not None:
        # Spark counts rows, not their weights; more than one row per leaf is left to its own engine.
        parameters = {**parameters, "min_child_weight": 0}
    eta = parameters["eta"]
    booster = xgb.Booster({**parameters, **fixed, "eta": eta / SCALE}, [train])
    # Caches the margins; otherwise the first call after a tree would predict all rows again.
    booster.predict(train, output_margin=True, training=True)
    # Dividing by eta gives the first tree weight 1; a common factor does not change the splits.
    booster.boost(train, 0, grad=-second * number * (SCALE / eta), hess=second)
    for tree in range(1, trees):
        margin = booster.predict(train, output_margin=True, training=True)
        booster.boost(train, tree, grad=-second * loss.residual(number, margin) * SCALE, hess=second)
    return booster


def with_mean_near_one(weight: np.ndarray) -> np.ndarray:
    """Return weights in a unit in which their mean is about 1.

    Gains are sums of weights, and XGBoost computes them in single precision: SCALE is for weights of
    about 1. Spark's trees are the same for weights in any unit.
    """
    mean = float(weight.mean())
    # A power of two, so that no digit is lost.
    return weight / 2.0 ** np.round(np.log2(mean)) if mean > 0 else weight


def _table(margin: np.ndarray, label: np.ndarray, target: Target) -> Table:
    if target.task == REGRESSION:
        return number_table(label, margin)
    return _class_table(margin, label) if target.task == MULTICLASS else _binary_table(margin, label)


def _class_table(margin: np.ndarray, label: np.ndarray) -> Table:
    # In single precision, as the model itself computes its probabilities.
    exponents = np.exp(margin - margin.max(axis=1, keepdims=True))
    return class_table(label, (exponents / exponents.sum(axis=1, keepdims=True)).astype(float))


def _binary_table(margin: np.ndarray, label: np.ndarray) -> Table:
    # In the precision of the model: in XGBoost's single one a margin of 17 is a probability of 1, and a
    # row of the other label has the loss of a probability of 0.
    with np.errstate(over="ignore"):
        probability = 1 / (1 + np.exp(-margin))
    true = np.where(label > 0, probability, 1 - probability).astype(float)
    return ScoreTable(
        label=label,
        prediction=(margin > 0).astype(int),
        probability=probability.astype(float),
        count=np.ones(len(label)),
        loss=-np.log(np.maximum(true, EPSILON)),
    )
