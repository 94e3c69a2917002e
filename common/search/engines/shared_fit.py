"""Groups of candidates that share one fit per fold, and the assembly of their results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

from common.learning.fold_score import FoldScore
from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.learning.threshold import Curve
from common.search.result import CandidateFailure, CandidateResult, Outcome


@dataclass
class SharedFit:
    """Candidates that differ only in the number of trees, and the results of their folds so far.

    Attributes:
        candidates: The candidates, most trees first; the first one's model contains those of the others.
        folds: Fold -> the fit's duration in seconds, and each candidate's scores.
        errors: Fold -> the error that ended its fit.
    """

    candidates: list[Parameters]
    folds: dict[int, tuple[float, list[FoldScore]]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    def outcomes(self, folds: int) -> Iterator[Outcome]:
        """Yield each candidate's outcome if all folds have finished; nothing otherwise."""
        if len(self.folds) + len(self.errors) < folds:
            return
        seconds = sum(seconds for seconds, _ in self.folds.values())
        for place, parameters in enumerate(self.candidates):
            if self.errors:
                fold = min(self.errors)
                yield CandidateFailure(parameters, f"fold {fold}: {self.errors[fold]}")
            else:
                scored = [self.folds[fold][1][place] for fold in sorted(self.folds)]
                curves = [one.curve for one in scored if one.curve is not None]
                curve = reduce(Curve.__add__, curves) if curves else None
                yield CandidateResult(parameters, tuple(one.scores for one in scored), seconds, curve)


def shared_fits(candidates: Sequence[Parameters], learner: Learner) -> list[SharedFit]:
    """Group candidates that can share a fit, in order of first appearance."""
    groups: dict[tuple[object, ...], list[Parameters]] = {}
    for candidate in candidates:
        others = sorted(item for item in candidate.items() if item[0] != learner.prefix)
        counted = learner.prefix in candidate
        groups.setdefault((counted, *others), []).append(candidate)
    return [
        SharedFit(sorted(group, key=lambda parameters: -parameters.get(learner.prefix or "", 0)))
        for group in groups.values()
    ]
