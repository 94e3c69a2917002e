"""A vote whose weights are chosen on the folds, scored on folds that did not take part in the choice."""

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
    """The members of a vote, with their weights and scores.

    Attributes:
        members: Two or more members.
        weights: One weight per member, chosen on all folds.
        result: The scores of each fold, with weights chosen on the other folds.
        alone: The metric of each member alone, by member and fold.
    """

    members: Sequence[Member]
    weights: Sequence[float]
    result: CandidateResult
    alone: Sequence[Sequence[float]]

    @property
    def metric(self) -> str:
        """The metric by which the weights are chosen: that of the members' searches."""
        return self.members[0].metric

    @property
    def best_alone(self) -> tuple[str, float]:
        """The best single member: its learner's name and its mean over the folds."""
        means = [fmean(folds) for folds in self.alone]
        place = int(np.argmax(sign(self.metric) * np.array(means)))
        return self.members[place].learner.name, means[place]

    def table(self) -> pd.DataFrame:
        """Return a row per member: learner, weight, mean score over the folds, search and parameters."""
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
    """Choose the weights of a vote on the folds, and score the vote without bias on the same folds.

    Weights are biased towards the folds that they were chosen on. So each fold is scored with the
    weights that the other folds choose.

    Args:
        members: The members of the vote.
        data: The training rows in folds.
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
