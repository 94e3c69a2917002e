"""The learners that a search can use: their estimators, parameters and engines."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor

from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.errors import UserError
from common.learning.boosting_rule import SPARK, XGBOOST, BoostingRule
from common.learning.linear_svc import ProbableLinearSVC
from common.learning.parameters import Choice, Parameters, Range
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


@dataclass(frozen=True)
class Learner:
    """A learner; its parameters keep the names of the library that implements it.

    Attributes:
        name: Its name, the value of the parameter `learner`.
        fittings: How it is fitted, by task; a task that is not there is one that it lacks.
        parameters: The permitted values of the parameters that can be searched.
        grid: Name of the default grid under conf/grids.
        space: Name of the default search space under conf/spaces.
        prefix: Name of the parameter for the number of trees, if a model with fewer trees is a prefix of
            a model with more, so that one fit scores them all; else None.
        mllib: Whether the mllib engine supports the learner.
        mllib_only: Names of the parameters that the boosting engine does not support.
        takes_missing: Whether it learns from rows with missing numbers.
    """

    name: str
    fittings: Mapping[str, Fitting]
    parameters: Mapping[str, Range | Choice]
    grid: str
    space: str
    prefix: str | None = None
    mllib: bool = True
    mllib_only: tuple[str, ...] = ()
    takes_missing: bool = False

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that support the learner, the fastest first."""
        boosts = any(fitting.boosting is not None for fitting in self.fittings.values())
        return ("boosting",) * boosts + ("mllib",) * self.mllib

    def fitting(self, task: str) -> Fitting:
        """Return how the learner is fitted for a task.

        Raises:
            UserError: The learner lacks the task.
        """
        if task not in self.fittings:
            others = [other.name for other in LEARNERS.values() if task in other.fittings]
            raise UserError(
                f"learner {self.name!r} does not have the task {task}, only "
                f"{', '.join(self.fittings)}: give learner={' or '.join(others)}"
            )
        return self.fittings[task]


SPARK_COLUMNS: dict[str, Any] = {"featuresCol": FEATURES, "labelCol": LABEL}
TREE: dict[str, Range | Choice] = {
    "maxDepth": Range(int, 0, 30),
    "maxBins": Range(int, 2, 65536),
    "minInstancesPerNode": Range(int, 1, 2**31 - 1),
    "minInfoGain": Range(float, 0, 1e6),
    "subsamplingRate": Range(float, 1e-6, 1),
}


def _spark(estimator: Callable[..., Estimator], seeded: bool = True) -> Callable[..., Estimator]:
    """Return the maker of a Spark estimator on our columns."""

    def make(parameters: Parameters, seed: int) -> Estimator:
        return estimator(**SPARK_COLUMNS, **({"seed": seed} if seeded else {}), **parameters)

    return make


def _gbt_boosting(parameters: Parameters) -> BoostingRule:
    # Defaults are GBTClassifier's. XGBoost reads a depth of 0 as unlimited, so a huge gamma prevents all
    # splits instead.
    depth = parameters.get("maxDepth", 5)
    booster = {
        "max_depth": max(depth, 1),
        "gamma": 0 if depth else 1e30,
        "eta": parameters.get("stepSize", 0.1),
        "min_child_weight": parameters.get("minInstancesPerNode", 1),
        "subsample": parameters.get("subsamplingRate", 1.0),
    }
    return BoostingRule(SPARK, parameters.get("maxIter", 20), parameters.get("maxBins", 32), booster)


def _xgboost(name: str) -> Callable[[Parameters, int], Estimator]:
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


def _xgboost_boosting(parameters: Parameters) -> BoostingRule:
    booster = {k: v for k, v in parameters.items() if k not in ("n_estimators", "max_bin")}
    return BoostingRule(
        XGBOOST, parameters.get("n_estimators", 100), parameters.get("max_bin", 256), booster
    )


def _forest_of_numbers(parameters: Parameters, seed: int) -> Estimator:
    # A forest of classifiers chooses among measures of impurity; variance is the only one of numbers.
    known = {name: value for name, value in parameters.items() if name != "impurity"}
    return RandomForestRegressor(**SPARK_COLUMNS, seed=seed, **known)


LINEAR: dict[str, Range | Choice] = {
    "regParam": Range(float, 0, 1e6),
    "maxIter": Range(int, 1, 10_000),
    "tol": Range(float, 1e-12, 1),
}

LEARNERS = {
    learner.name: learner
    for learner in (
        Learner(
            name="gbt",
            grid="gbt_coarse",
            space="gbt",
            fittings={
                BINARY: Fitting(_spark(GBTClassifier), _gbt_boosting),
                REGRESSION: Fitting(_spark(GBTRegressor), _gbt_boosting),
            },
            parameters={**TREE, "maxIter": Range(int, 1, 10_000), "stepSize": Range(float, 1e-6, 1)},
            prefix="maxIter",
            mllib_only=("minInfoGain",),
        ),
        Learner(
            name="xgboost",
            grid="xgboost",
            space="xgboost",
            fittings={
                BINARY: Fitting(_xgboost("SparkXGBClassifier"), _xgboost_boosting),
                MULTICLASS: Fitting(_xgboost("SparkXGBClassifier"), _xgboost_boosting),
                REGRESSION: Fitting(_xgboost("SparkXGBRegressor"), _xgboost_boosting),
            },
            parameters={
                "n_estimators": Range(int, 1, 10_000),
                "max_depth": Range(int, 1, 30),
                "max_bin": Range(int, 2, 65536),
                "learning_rate": Range(float, 1e-6, 1),
                "min_child_weight": Range(float, 0, 1e6),
                "gamma": Range(float, 0, 1e6),
                "reg_alpha": Range(float, 0, 1e6),
                "reg_lambda": Range(float, 0, 1e6),
                "subsample": Range(float, 1e-6, 1),
                "colsample_bytree": Range(float, 1e-6, 1),
                "grow_policy": Choice(("depthwise", "lossguide")),
            },
            prefix="n_estimators",
            mllib=False,
            takes_missing=True,
        ),
        Learner(
            name="random_forest",
            grid="random_forest",
            space="random_forest",
            fittings={
                BINARY: Fitting(_spark(RandomForestClassifier)),
                MULTICLASS: Fitting(_spark(RandomForestClassifier)),
                REGRESSION: Fitting(_forest_of_numbers),
            },
            parameters={
                **TREE,
                "numTrees": Range(int, 1, 10_000),
                "impurity": Choice(("gini", "entropy")),
                "featureSubsetStrategy": Choice(("auto", "all", "onethird", "sqrt", "log2")),
            },
        ),
        Learner(
            name="logistic_regression",
            grid="logistic_regression",
            space="logistic_regression",
            fittings={
                BINARY: Fitting(_spark(LogisticRegression, seeded=False)),
                MULTICLASS: Fitting(_spark(LogisticRegression, seeded=False)),
            },
            parameters={**LINEAR, "elasticNetParam": Range(float, 0, 1)},
        ),
        Learner(
            name="linear_regression",
            grid="linear_regression",
            space="linear_regression",
            fittings={REGRESSION: Fitting(_spark(LinearRegression, seeded=False))},
            parameters={**LINEAR, "elasticNetParam": Range(float, 0, 1)},
        ),
        Learner(
            name="linear_svc",
            grid="linear_svc",
            space="linear_svc",
            fittings={BINARY: Fitting(_spark(ProbableLinearSVC, seeded=False))},
            parameters=LINEAR,
        ),
    )
}


# The learner of a search that names none.
DEFAULT = "default"


def default_learner(task: str) -> str:
    """Return the name of the learner for a task that no learner was named for: the first that has it."""
    return next(name for name, learner in LEARNERS.items() if task in learner.fittings)


def get_learner(name: str) -> Learner:
    """Return the learner with this name.

    Raises:
        UserError: No learner has this name.
    """
    if name not in LEARNERS:
        raise UserError(f"learner must be one of {', '.join(LEARNERS)}, got {name!r}")
    return LEARNERS[name]


def learner_with(parameters: Sequence[str]) -> Learner:
    """Return the first learner with all these parameters; others that have them permit the same values.

    Raises:
        UserError: No learner has all these parameters.
    """
    for learner in LEARNERS.values():
        if learner.parameters.keys() >= set(parameters):
            return learner
    raise UserError(f"no learner has the parameters {', '.join(parameters)}")
