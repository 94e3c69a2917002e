"""How each learner is fitted: the maker of its Spark estimator, and its rule for the boosting engine."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.regression import RandomForestRegressor

from common.learning.boosting_rule import SPARK, XGBOOST, BoostingRule
from common.learning.parameters import Parameters
from common.learning.vectorizer import FEATURES, LABEL


@dataclass(frozen=True)
class Fitting:
    """How a learner is fitted for one task.

    Attributes:
        estimator: Makes the Spark estimator for some parameters and a seed.
        boosting: Makes the boosting engine's rule for some parameters; None if the engine does not
            support the learner.
    """

    estimator: Callable[[Parameters, int], Estimator]
    boosting: Callable[[Parameters], BoostingRule] | None = None


# Who fits a winner on all rows: the engine that scored it, if it did so by Spark's rule; or an estimator.
REFIT_AUTO, REFIT_MLLIB = "auto", "mllib"
# XGBoost's name for the rounds without a gain after which boosting stops.
STOPPING = "early_stopping_rounds"
SPARK_COLUMNS: dict[str, Any] = {"featuresCol": FEATURES, "labelCol": LABEL}


def spark(estimator: Callable[..., Estimator], seeded: bool = True) -> Callable[..., Estimator]:
    """Return the maker of a Spark estimator on our columns."""

    def make(parameters: Parameters, seed: int) -> Estimator:
        return estimator(**SPARK_COLUMNS, **({"seed": seed} if seeded else {}), **parameters)

    return make


def gbt_boosting(parameters: Parameters) -> BoostingRule:
    """Return the rule of Spark's boosted trees."""
    # Defaults are GBTClassifier's. XGBoost reads a depth of 0 as unlimited, so a huge gamma prevents all
    # splits instead.
    depth = parameters.get("maxDepth", 5)
    booster = {
        "max_depth": max(depth, 1),
        "gamma": 0 if depth else 3e38,
        "eta": parameters.get("stepSize", 0.1),
        "min_child_weight": parameters.get("minInstancesPerNode", 1),
        "subsample": parameters.get("subsamplingRate", 1.0),
    }
    return BoostingRule(SPARK, parameters.get("maxIter", 20), parameters.get("maxBins", 32), booster)


def xgboost(name: str) -> Callable[[Parameters, int], Estimator]:
    """Return the maker of the estimator with this name in xgboost.spark."""

    def make(parameters: Parameters, seed: int) -> Estimator:
        # Imported here because loading XGBoost takes two seconds, which other learners need not spend.
        import xgboost.spark

        # Otherwise it logs every tree that it fits and every batch that it scores.
        logging.getLogger("XGBoost-PySpark").setLevel(logging.WARNING)
        quiet = {"verbose": False, **parameters}
        estimator: Estimator = getattr(xgboost.spark, name)(
            features_col=FEATURES, label_col=LABEL, seed=seed, **quiet
        )
        return estimator

    return make


def xgboost_boosting(parameters: Parameters) -> BoostingRule:
    """Return the rule of XGBoost's own boosted trees."""
    own = ("n_estimators", "max_bin", STOPPING)
    booster = {name: value for name, value in parameters.items() if name not in own}
    trees, bins = parameters.get("n_estimators", 100), parameters.get("max_bin", 256)
    return BoostingRule(XGBOOST, trees, bins, booster, parameters.get(STOPPING, 0))


def forest_of_numbers(parameters: Parameters, seed: int) -> Estimator:
    """Return Spark's forest that predicts a number."""
    # A forest of classifiers chooses among measures of impurity; variance is the only one of numbers.
    known = {name: value for name, value in parameters.items() if name != "impurity"}
    return RandomForestRegressor(**SPARK_COLUMNS, seed=seed, **known)
