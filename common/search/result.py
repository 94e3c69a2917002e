"""The result of a search: each candidate's outcome, and the table of all outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean, pstdev
from typing import Any

import pandas as pd

from common.errors import UserError
from common.learning.metrics import sign
from common.learning.parameters import Parameters
from common.learning.threshold import Curve


@dataclass(frozen=True)
class CandidateResult:
    """The scores of one candidate.

    Attributes:
        parameters: Values by parameter name.
        folds: For each fold, all metrics of the task on its validation rows.
        fit_seconds: Duration of the fits behind the scores, summed over folds. Candidates that differ
            only in the number of trees share their fits.
        curves: Counts of each fold's rows by probability; empty unless there are two labels, and for a
            result that was read back from a store.
        trees: Number of trees at which the folds stopped; None if the candidate does not stop.
    """

    parameters: Parameters
    folds: tuple[dict[str, float], ...]
    fit_seconds: float
    curves: tuple[Curve, ...] = field(default=(), compare=False)
    trees: int | None = None

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that have a value on every fold."""
        return [name for name in self.folds[0] if all(map(isfinite, self.by_fold(name)))]

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over the folds.

        Raises:
            UserError: It has no value on some fold, as r2 where all rows have the same number.
        """
        values = self.by_fold(metric)
        for place, value in enumerate(values):
            if not isfinite(value):
                raise UserError(
                    f"metric {metric!r} has no value on the rows of fold {place}, as r2 where all are "
                    "alike: choose another metric, or fewer folds"
                )
        return fmean(values)

    def std(self, metric: str) -> float:
        """Return the population standard deviation of a metric over the folds."""
        return pstdev(self.by_fold(metric))

    def by_fold(self, metric: str) -> list[float]:
        """Return a metric on each fold; NaN where it has no value."""
        return [fold[metric] for fold in self.folds]

    @property
    def name(self) -> str:
        """The parameters on one line, sorted by name."""
        return candidate_name(self.parameters)


@dataclass(frozen=True)
class CandidateFailure:
    """A candidate that could not be fitted on some fold.

    Attributes:
        parameters: Values by parameter name.
        error: The error, on one line.
    """

    parameters: Parameters
    error: str

    @property
    def name(self) -> str:
        """The parameters on one line, sorted by name."""
        return candidate_name(self.parameters)


Outcome = CandidateResult | CandidateFailure


def told_failures(failures: Sequence[CandidateFailure], error: str, left: int) -> str:
    """Say how many candidates failed, and why: `2 candidates failed, the first (a=1) with: ERROR`.

    Args:
        failures: One or more candidates that failed.
        error: The error of the first one, as it may be shown.
        left: Number of the candidates that did not fail.
    """
    count, name = len(failures), failures[0].name
    if count == 1:
        return f"{'1' if left else 'the only'} candidate failed ({name}) with: {error}"
    many = count if left else "both" if count == 2 else f"all {count}"
    return f"{many} candidates failed, the first ({name}) with: {error}"


def candidate_name(parameters: Parameters) -> str:
    """Return the parameters on one line, sorted by name, so that equal candidates have equal names."""
    return " ".join(f"{name}={parameters[name]}" for name in sorted(parameters))


def ranked(results: Sequence[CandidateResult], metric: str) -> list[CandidateResult]:
    """Sort candidates by their mean score, best first; ties are sorted by name."""
    return sorted(results, key=lambda result: (-sign(metric) * result.mean(metric), result.name))


def candidates_table(
    results: Sequence[CandidateResult],
    metric: str,
    failures: Sequence[CandidateFailure] = (),
    generations: Mapping[str, Sequence[int]] | None = None,
) -> pd.DataFrame:
    """Return a table of all candidates, best first and failed ones last.

    Args:
        results: The candidates that were scored.
        metric: The metric that ranks them. The columns `val_<metric>_fold_<n>` record which it was.
        failures: The candidates that failed.
        generations: For a genetic search, the generations that drew each candidate, by candidate name.

    Returns:
        One row per candidate: its parameters, val_<m> and val_<m>_std of all metrics, each fold's value
        of the ranking metric and fit_seconds; then `trees` (where the folds stopped), `generations`
        (numbers separated by spaces) and `error`, if there are any.
    """
    rows = [
        {
            **result.parameters,
            **{f"val_{name}": result.mean(name) for name in result.metrics},
            **{f"val_{name}_std": result.std(name) for name in result.metrics},
            **{f"val_{metric}_fold_{place}": fold[metric] for place, fold in enumerate(result.folds)},
            "fit_seconds": round(result.fit_seconds, 3),
            **({} if result.trees is None else {"trees": result.trees}),
        }
        for result in ranked(results, metric)
    ]
    failed = sorted(failures, key=lambda failure: failure.name)
    rows += [{**failure.parameters, "error": failure.error} for failure in failed]
    if generations:
        names = [result.name for result in ranked(results, metric)]
        names += [failure.name for failure in failed]
        for row, name in zip(rows, names, strict=True):
            row["generations"] = " ".join(map(str, generations.get(name, ())))
    return pd.DataFrame({name: _column([row.get(name) for row in rows]) for name in _order(rows)})


def _order(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of rows: all parameters first, since learners have different ones."""
    columns = dict.fromkeys(name for row in rows for name in row)
    scores = [name for name in rows[0] if name.startswith("val_")]
    last = [name for name in ("fit_seconds", "trees", "generations", "error") if name in columns]
    return [*(name for name in columns if name not in {*scores, *last}), *scores, *last]


def _column(values: list[Any]) -> "pd.Series[Any]":
    # Whole numbers stay whole where other rows have none.
    known = [value for value in values if value is not None]
    whole = len(known) < len(values) and all(type(value) is int for value in known)
    return pd.Series(values, dtype="Int64" if whole else None)
