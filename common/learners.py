"""The learners that a search can take: what Spark estimator, which parameters, which default grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.classification import GBTClassifier

from common.errors import UserError
from common.vectorizer import FEATURES, LABEL

# A candidate: values by the names of Spark's parameters.
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """What values a parameter may take: of one type, from low to high, both included."""

    type: type
    low: float
    high: float

    def check(self, name: str, value: Any) -> int | float:
        """Return the value in the range's type.

        Raises:
            UserError: it is no such number, or lies outside.
        """
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or (self.type is int and not whole) or not self.low <= value <= self.high:
            kind = "a whole number" if self.type is int else "a number"
            raise UserError(f"{name} must be {kind} from {self.low} to {self.high}, got {value!r}")
        return self.type(value)


@dataclass(frozen=True)
class Learner:
    """A way to learn, under Spark's names for its parameters.

    Attributes:
        name: what `learner` is called on the command line.
        estimator: makes the Spark estimator of some parameters and a seed.
        parameters: the ranges of the parameters that can be searched.
        prefix: the parameter that counts trees, where the model of fewer trees is the beginning of
            the model of more, so that one fit scores them all.
        grid: name of its default grid under conf/grids.
        engines: engines that can score its candidates, the preferred one first.
    """

    name: str
    estimator: Callable[[Parameters, int], Estimator]
    parameters: Mapping[str, Range]
    prefix: str | None
    grid: str
    engines: tuple[str, ...]


def _gbt(parameters: Parameters, seed: int) -> Estimator:
    return GBTClassifier(featuresCol=FEATURES, labelCol=LABEL, seed=seed, **parameters)


LEARNERS = {
    learner.name: learner
    for learner in (
        Learner(
            name="gbt",
            estimator=_gbt,
            parameters={
                "maxDepth": Range(int, 0, 30),
                "maxBins": Range(int, 2, 65536),
                "maxIter": Range(int, 1, 10_000),
                "stepSize": Range(float, 1e-6, 1),
                "subsamplingRate": Range(float, 1e-6, 1),
                "minInstancesPerNode": Range(int, 1, 2**31 - 1),
                "minInfoGain": Range(float, 0, 1e6),
            },
            prefix="maxIter",
            grid="gbt_quick",
            engines=("mllib",),
        ),
    )
}


def get_learner(name: str) -> Learner:
    """Return the learner of this name.

    Raises:
        UserError: there is none.
    """
    if name not in LEARNERS:
        raise UserError(f"learner must be one of {', '.join(LEARNERS)}, got {name!r}")
    return LEARNERS[name]


def choose_engine(learner: Learner, engine: str) -> str:
    """Return the engine that scores a learner's candidates; `auto` is its preferred one.

    Raises:
        UserError: the learner has no such engine.
    """
    if engine == "auto":
        return learner.engines[0]
    if engine not in learner.engines:
        allowed = ", ".join(["auto", *learner.engines])
        raise UserError(f"engine of learner {learner.name!r} must be one of {allowed}, got {engine!r}")
    return engine
