"""A vote weighed on the folds: its weights, and how it does on folds that had no say in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import pandas as pd

from common.ensemble.member import Member
from common.ensemble.out_of_fold import mix_scores, out_of_fold, vote_scores
from common.ensemble.weights import Weighing, grid_of_mixes
from common.learning.metrics import sign
from common.search.folds import FoldData
from common.search.result import CandidateResult, candidate_name


@dataclass(frozen=True)
class Vote:
    """The members, and what the folds say of them.

    Attributes:
        members: two or more.
        weights: one a member, chosen on all folds.
        result: the scores of each fold by weights that the other folds chose.
        alone: the metric of each member alone, fold by fold.
    """

    members: Sequence[Member]
    weights: Sequence[float]
    result: CandidateResult
    alone: Sequence[Sequence[float]]

    @property
    def metric(self) -> str:
        """The metric that the weights are chosen by: the members' searches'."""
        return self.members[0].metric

    @property
    def best_alone(self) -> tuple[str, float]:
        """The learner that is best alone, and its mean over the folds."""
        means = [fmean(folds) for folds in self.alone]
        place = int(np.argmax(sign(self.metric) * np.array(means)))
        return self.members[place].learner.name, means[place]

    def table(self) -> pd.DataFrame:
        """Return a row a member: learner, weight, its score over the same folds, search, parameters."""
        return pd.DataFrame(
            {
                "learner": [member.learner.name for member in self.members],
                "weight": list(self.weights),
                f"val_{self.metric}": [fmean(folds) for folds in self.alone],
                "search": [member.run_id for member in self.members],
                "parameters": [candidate_name(member.parameters) for member in self.members],
            }
        )


def weigh(members: Sequence[Member], data: FoldData) -> Vote:
    """Choose the weights of a vote on the folds, and score it fairly on them.

    Weights that a fold has helped to choose flatter it. So a fold's scores are those of the weights
    that the others choose.

    Args:
        members: of the vote.
        data: training rows in folds.
    """
    predictions, seconds = out_of_fold(members, data)
    mixes = grid_of_mixes(len(members))
    metric = members[0].metric
    weighing = Weighing(mixes, mix_scores(predictions, mixes, data.folds, metric), sign(metric))
    folds = tuple(
        vote_scores(predictions, fold, weighing.choose(without=fold), data.rows)
        for fold in range(data.folds)
    )
    predictions.unpersist()
    weights = [float(weight) for weight in weighing.choose()]
    named = {m.learner.name: weight for m, weight in zip(members, weights, strict=True)}
    alone = [weighing.alone(place) for place in range(len(members))]
    return Vote(members, weights, CandidateResult(named, folds, seconds), alone)
