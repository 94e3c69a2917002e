"""A member of a vote."""

from dataclasses import dataclass

from common.learning.learners import Learner, Parameters


@dataclass(frozen=True)
class Member:
    """The winner of a search.

    Attributes:
        run_id: of the search.
        learner: that it searched for.
        parameters: of the winner.
        seed: of the learner.
        folds: that it was searched over.
        metric: that it was searched by.
        features: URI of the features.
    """

    run_id: str
    learner: Learner
    parameters: Parameters
    seed: int
    folds: int
    features: str
    metric: str
