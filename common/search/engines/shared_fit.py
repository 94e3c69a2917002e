"""Groups of candidates that share one fit per fold, and the assembly of their results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean

from common.learning.fittings import STOPPING
from common.learning.fold_score import FoldScore
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.search.result import CandidateFailure, CandidateResult, Outcome

# Metrics that have a value on any rows.
LOSSES = ("log_loss", "rmse")


@dataclass
class SharedFit:
    """Candidates that differ only in the number of trees, and the results of their folds so far.

    Attributes:
        candidates: The candidates, most trees first; the first one's model contains those of the others.
        ends: Numbers of trees at which the only candidate may stop; empty if none stops.
        folds: Fold -> the fit's duration in seconds, and each candidate's scores, or those at each end
            that the fold reached.
        errors: Fold -> the error that ended its fit.
    """

    candidates: list[Parameters]
    ends: tuple[int, ...] = ()
    folds: dict[int, tuple[float, list[FoldScore]]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    def outcomes(self, folds: int, loss: str = "") -> Iterator[Outcome]:
        """Yield each candidate's outcome if all folds have finished; nothing otherwise.

        Args:
            folds: Number of folds.
            loss: The metric whose mean over the folds says at which end a candidate stops.
        """
        if len(self.folds) + len(self.errors) < folds:
            return
        seconds = sum(seconds for seconds, _ in self.folds.values())
        for place, parameters in enumerate(self.candidates):
            if self.errors:
                fold = min(self.errors)
                yield CandidateFailure(parameters, f"fold {fold}: {self.errors[fold]}")
            else:
                place = self._best_end(loss) if self.ends else place
                scored = [self.folds[fold][1][place] for fold in sorted(self.folds)]
                if said := _diverged([one.scores for one in scored]):
                    yield CandidateFailure(parameters, said)
                    continue
                curves = tuple(one.curve for one in scored if one.curve is not None)
                trees = self.ends[place] if self.ends else None
                found = tuple(one.scores for one in scored)
                yield CandidateResult(parameters, found, seconds, curves, trees)

    def _best_end(self, loss: str) -> int:
        """Return the index of the end that is best over the folds, among those that all reached."""
        reached = zip(*(scores for _, scores in self.folds.values()), strict=False)
        # What is fitted by weights gets better by them: by the plain loss, a rare label that weighs more
        # would be fitted until its probability is its share again.
        means = [
            fmean(one.scores[loss] if one.weighted_loss is None else one.weighted_loss for one in of_end)
            for of_end in reached
        ]
        return means.index(min(means))


def _diverged(scores: Sequence[Mapping[str, float]]) -> str:
    """Say on which fold a fit predicts no numbers; empty if none does."""
    for place, of_fold in enumerate(scores):
        for name in LOSSES:
            if not isfinite(of_fold.get(name, 0)):
                return f"fold {place}: {name} is {of_fold[name]}, since the fit diverged"
    return ""


def shared_fits(candidates: Sequence[Parameters], learner: Learner) -> list[SharedFit]:
    """Group candidates that can share a fit, in order of first appearance."""
    groups: dict[tuple[object, ...], list[Parameters]] = {}
    for candidate in candidates:
        prefix = _prefix(candidate, learner)
        others = sorted(item for item in candidate.items() if item[0] != prefix)
        groups.setdefault((prefix in candidate, *others), []).append(candidate)
    return [
        SharedFit(sorted(group, key=lambda one: -one.get(_prefix(one, learner), 0)))
        for group in groups.values()
    ]


def _prefix(candidate: Parameters, learner: Learner) -> str:
    """Return the parameter in which a candidate may differ from those that share its fit, or nothing."""
    # How far one that stops goes is not known before its folds are.
    return "" if STOPPING in candidate else learner.chosen(candidate)[0].prefix or ""
