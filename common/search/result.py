"""What a search finds: each candidate's scores, and the table of them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import pandas as pd

from common.learning.learners import Parameters
from common.learning.metrics import METRICS, sign


@dataclass(frozen=True)
class CandidateResult:
    """The scores of one candidate.

    Attributes:
        parameters: by Spark's names.
        folds: for each fold all of METRICS on its validation rows.
        fit_seconds: of the fits its scores come from, summed over folds; candidates that differ in
            the number of trees alone share their fits.
    """

    parameters: Parameters
    folds: tuple[dict[str, float], ...]
    fit_seconds: float

    def mean(self, metric: str) -> float:
        """Mean over the folds."""
        return fmean(fold[metric] for fold in self.folds)

    def std(self, metric: str) -> float:
        """Standard deviation over the folds (of these folds, not an estimate for more)."""
        return pstdev(fold[metric] for fold in self.folds)

    @property
    def name(self) -> str:
        """The parameters on a line, in the order of their names."""
        return candidate_name(self.parameters)


@dataclass(frozen=True)
class CandidateFailure:
    """A candidate that could not be fitted on some fold.

    Attributes:
        parameters: by Spark's names.
        error: on one line.
    """

    parameters: Parameters
    error: str

    @property
    def name(self) -> str:
        """The parameters on a line, in the order of their names."""
        return candidate_name(self.parameters)


Outcome = CandidateResult | CandidateFailure


def candidate_name(parameters: Parameters) -> str:
    """Return the parameters on a line, in the order of their names: the same for the same candidate."""
    return " ".join(f"{name}={parameters[name]}" for name in sorted(parameters))


def ranked(results: Sequence[CandidateResult], metric: str) -> list[CandidateResult]:
    """Return the candidates by their mean, best first; equals by name, whatever their order."""
    return sorted(results, key=lambda result: (-sign(metric) * result.mean(metric), result.name))


def candidates_table(
    results: Sequence[CandidateResult],
    metric: str,
    failures: Sequence[CandidateFailure] = (),
    generations: Mapping[str, Sequence[int]] | None = None,
) -> pd.DataFrame:
    """Return all candidates, best first, those that failed last.

    Args:
        results: of the candidates that were scored.
        metric: that ranks them; its columns `val_<metric>_fold_<n>` tell which it was.
        failures: the others.
        generations: of a genetic search: by a candidate's name, the generations that drew it.

    Returns:
        Parameters, val_<m>, val_<m>_std, each fold's value of the metric and fit_seconds; then
        `generations` (numbers with spaces between) and `error`, where there are any.
    """
    rows = [
        {
            **result.parameters,
            **{f"val_{name}": result.mean(name) for name in METRICS},
            **{f"val_{name}_std": result.std(name) for name in METRICS},
            **{f"val_{metric}_fold_{place}": fold[metric] for place, fold in enumerate(result.folds)},
            "fit_seconds": round(result.fit_seconds, 3),
        }
        for result in ranked(results, metric)
    ]
    failed = sorted(failures, key=lambda failure: failure.name)
    rows += [{**failure.parameters, "error": failure.error} for failure in failed]
    if generations:
        names = [result.name for result in ranked(results, metric)]
        names += [failure.name for failure in failed]
        for row, name in zip(rows, names, strict=True):
            row["generations"] = " ".join(map(str, generations[name]))
    return pd.DataFrame(rows)
