"""The refit of a search's winner on all training rows, by the engine that scored it or by Spark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.ml import Estimator, Model
from pyspark.sql import DataFrame

from common.learning.boosting_rule import SPARK
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.machine import copies
from common.machine.spark_settings import file_uri
from common.search.engines.boosting.agreement import check_refit
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.margins import Agreement
from common.search.engines.boosting.saved_model import spark_model
from common.search.engines.boosting.spark_trees import WholeFit
from common.search.engines.choice import Engine
from common.search.engines.race import RaceEngine
from common.search.folds import FoldData, weighted


@dataclass(frozen=True)
class Refit:
    """A winner that was fitted on all training rows.

    Attributes:
        model: The model, one of Spark's or XGBoost's own.
        by: What fitted it: "the boosting engine", or the name of an estimator.
        fit: The engine's fit that it was made from; None if an estimator fitted it.
        task: What is predicted.
    """

    model: Model
    by: str
    fit: WholeFit | None
    task: str

    def check(self, frames: Sequence[DataFrame]) -> Agreement | None:
        """Compare a model that the engine fitted with the engine's own trees, on all rows of some frames.

        Raises:
            RefitError: They do not agree.
        """
        return None if self.fit is None else check_refit(self.model, self.fit, frames, self.task)


def refit_winner(
    parameters: Parameters,
    learner: Learner,
    data: FoldData,
    seed: int,
    engine: Engine | None = None,
    reach: Callable[[Path], str] = file_uri,
) -> Refit:
    """Fit a candidate on all training rows.

    Args:
        parameters: The parameters to fit with, of this learner.
        learner: The learner.
        data: The training rows.
        seed: Seed of the learner.
        engine: The engine that scored the candidate, which fits Spark's rule itself; None to have Spark's
            estimator do it.
        reach: Returns the URI at which Spark's workers find a local path.
    """
    task = data.target.task
    fitting = learner.fitting(task)
    estimator = weighted(fitting.estimator(parameters, seed), data)
    if isinstance(engine, RaceEngine):
        engine = engine.of_learner(learner.name)
    if isinstance(engine, BoostingEngine) and fitting.boosting is not None:
        rule = fitting.boosting(parameters)
        if rule.kind == SPARK:
            fit = engine.fit_whole(rule)
            model = spark_model(fit, estimator, copies.new_folder(), reach)
            return Refit(model, "the boosting engine", fit, task)
    return Refit(estimator.fit(data.frame), _name(estimator), None, task)


def _name(estimator: Estimator[Any]) -> str:
    """Return the name of an estimator with that of the library that it comes from."""
    libraries = {"pyspark": "Spark", "xgboost": "XGBoost"}
    for kind in type(estimator).__mro__:
        library = libraries.get(kind.__module__.partition(".")[0])
        if library is not None:
            return f"{library}'s {kind.__name__}"
    raise AssertionError("an estimator is of one of the libraries")
