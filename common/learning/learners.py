"""The learners that a search can use: their estimators, parameters and engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.ml import Estimator
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.regression import GBTRegressor, LinearRegression

from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.errors import UserError
from common.learning.boosting_rule import BoostingRule
from common.learning.fittings import (
    STOPPING,
    Fitting,
    forest_of_numbers,
    gbt_boosting,
    spark,
    xgboost,
    xgboost_boosting,
)
from common.learning.linear_svc import ProbableLinearSVC
from common.learning.parameters import Choice, Parameters, Range


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
        entrants: The learners that race; empty for a learner of its own.
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
    entrants: tuple["Learner", ...] = ()

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that support the learner, or one that races; the fastest first."""
        if self.entrants:
            return tuple(sorted({engine for one in self.entrants for engine in one.engines}))
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

    def chosen(self, parameters: Parameters) -> tuple["Learner", Parameters]:
        """Return the learner that a candidate is of, and its parameters of that learner."""
        if not self.entrants:
            return self, parameters
        (learner,) = [one for one in self.entrants if one.name == parameters[LEARNER]]
        return learner, {name: value for name, value in parameters.items() if name != LEARNER}

    def fitted(self, parameters: Parameters, trees: int | None) -> Parameters:
        """Return the parameters to fit a candidate with on all rows.

        Args:
            parameters: The candidate's, of this learner.
            trees: Number of trees at which the folds stopped; None if they did not.
        """
        if trees is None or self.prefix is None:
            return parameters
        return {name: v for name, v in parameters.items() if name != STOPPING} | {self.prefix: trees}


# The parameter of a candidate in a race that names its learner.
LEARNER = "learner"

TREE: dict[str, Range | Choice] = {
    "maxDepth": Range(int, 0, 30),
    "maxBins": Range(int, 2, 65536),
    "minInstancesPerNode": Range(int, 1, 2**31 - 1),
    "minInfoGain": Range(float, 0, 1e6),
    "subsamplingRate": Range(float, 1e-6, 1),
}


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
                BINARY: Fitting(spark(GBTClassifier), gbt_boosting),
                REGRESSION: Fitting(spark(GBTRegressor), gbt_boosting),
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
                BINARY: Fitting(xgboost("SparkXGBClassifier"), xgboost_boosting),
                MULTICLASS: Fitting(xgboost("SparkXGBClassifier"), xgboost_boosting),
                REGRESSION: Fitting(xgboost("SparkXGBRegressor"), xgboost_boosting),
            },
            parameters={
                "n_estimators": Range(int, 1, 10_000),
                STOPPING: Range(int, 1, 10_000),
                "max_depth": Range(int, 0, 30, unlimited=True),
                "max_leaves": Range(int, 0, 65536, unlimited=True),
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
                BINARY: Fitting(spark(RandomForestClassifier)),
                MULTICLASS: Fitting(spark(RandomForestClassifier)),
                REGRESSION: Fitting(forest_of_numbers),
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
                BINARY: Fitting(spark(LogisticRegression, seeded=False)),
                MULTICLASS: Fitting(spark(LogisticRegression, seeded=False)),
            },
            parameters={**LINEAR, "elasticNetParam": Range(float, 0, 1)},
        ),
        Learner(
            name="linear_regression",
            grid="linear_regression",
            space="linear_regression",
            fittings={REGRESSION: Fitting(spark(LinearRegression, seeded=False))},
            parameters={**LINEAR, "elasticNetParam": Range(float, 0, 1)},
        ),
        Learner(
            name="linear_svc",
            grid="linear_svc",
            space="linear_svc",
            fittings={BINARY: Fitting(spark(ProbableLinearSVC, seeded=False))},
            parameters=LINEAR,
        ),
    )
}


# The learner of a search that names none, and that of a search in which all of a task's learners race.
DEFAULT, RACE = "default", "auto"


def default_learner(task: str) -> str:
    """Return the name of the learner for a task that no learner was named for: the first that has it."""
    return next(name for name, learner in LEARNERS.items() if task in learner.fittings)


def get_learner(name: str) -> Learner:
    """Return the learner with this name.

    Raises:
        UserError: No learner has this name.
    """
    if name == RACE:
        return race(list(LEARNERS.values()))
    if name not in LEARNERS:
        raise UserError(f"learner must be one of {', '.join([RACE, *LEARNERS])}, got {name!r}")
    return LEARNERS[name]


def race(learners: Sequence[Learner]) -> Learner:
    """Return the learner that stands for several: each of its candidates names one of them."""

    def fitting(task: str) -> Fitting:
        def of(parameters: Parameters) -> tuple[Fitting, Parameters]:
            learner, rest = whole.chosen(parameters)
            return learner.fitting(task), rest

        def estimator(parameters: Parameters, seed: int) -> Estimator:
            chosen, rest = of(parameters)
            return chosen.estimator(rest, seed)

        def boosting(parameters: Parameters) -> BoostingRule:
            chosen, rest = of(parameters)
            assert chosen.boosting is not None, "the boosting engine gets no others"
            return chosen.boosting(rest)

        return Fitting(estimator, boosting)

    tasks = dict.fromkeys(task for learner in learners for task in learner.fittings)
    # Those that share a parameter's name permit the same values.
    kinds = {name: kind for learner in learners for name, kind in learner.parameters.items()}
    names = Choice(tuple(learner.name for learner in learners))
    whole = Learner(
        name=RACE,
        fittings={task: fitting(task) for task in tasks},
        parameters={LEARNER: names, **kinds},
        grid=RACE,
        space=RACE,
        takes_missing=any(learner.takes_missing for learner in learners),
        entrants=tuple(learners),
    )
    return whole


def learner_with(parameters: Sequence[str]) -> Learner:
    """Return the first learner with all these parameters; others that have them permit the same values.

    Raises:
        UserError: No learner has all these parameters.
    """
    for learner in LEARNERS.values():
        if learner.parameters.keys() >= set(parameters):
            return learner
    raise UserError(f"no learner has the parameters {', '.join(parameters)}")
