"""A member of a vote."""

from dataclasses import dataclass

from common.learning.learners import Learner
from common.learning.parameters import Parameters


@dataclass(frozen=True)
class Member:
    """The winner of a search.

    Attributes:
        run_id: ID of the search's run.
        learner: The learner that was searched.
        parameters: The winner's hyperparameters.
        seed: The learner's seed.
        folds: Number of folds of the search.
        features: URI of the features.
        metric: The metric that the search optimized.
        balance: Whether labels weigh the same in its fits.
    """

    run_id: str
    learner: Learner
    parameters: Parameters
    seed: int
    folds: int
    features: str
    metric: str
    balance: bool = False
