"""The candidates of a finished search, read from candidates.csv."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile

import numpy as np
import pandas as pd
from scipy import special

from common.errors import UserError
from common.learning.learners import LEARNER, get_learner
from common.learning.metrics import sign
from common.learning.parameters import Parameters, Range
from common.search.result import candidate_name

CONFIDENCE = 0.95
# Size of a rounding error, as a share of a score.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """The difference of two scores on the same folds.

    Attributes:
        mean: Mean over the folds.
        error: Standard error of that mean. It is underestimated, since folds share training rows.
        clear: Whether the 95% confidence interval by Student's t excludes zero.
    """

    mean: float
    error: float
    clear: bool

    @property
    def is_none(self) -> bool:
        """Whether the scores are the same on every fold."""
        return self.mean == self.error == 0


@dataclass(frozen=True)
class Raced:
    """A learner of a race.

    Attributes:
        learner: Its name.
        candidates: Number of its candidates that were scored.
        best: The mean score of its best one over the folds.
    """

    learner: str
    candidates: int
    best: float


@dataclass(frozen=True)
class Candidates:
    """Candidates, best first; of a race those of the best one's learner.

    Attributes:
        parameters: Parameters of the candidates that were scored (candidates x parameters).
        metric: The metric that ranks them.
        folds: Their scores (candidates x folds).
        seconds: Duration of each candidate's fits, summed over the folds.
        generations: For each candidate, the generations that drew it; empty for a grid search.
        failed: Parameters of the candidates that failed, with their `error`.
        learners: The learners of a race, best first; empty if one learner was searched.
        unfitted: Those learners of a race of which each candidate failed.
        diversity: The diversity of each generation in the search space; empty if it is not known.
    """

    parameters: pd.DataFrame
    metric: str
    folds: np.ndarray
    seconds: np.ndarray
    generations: Sequence[Sequence[int]]
    failed: pd.DataFrame
    learners: Sequence["Raced"] = ()
    unfitted: Sequence[str] = ()
    diversity: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def means(self) -> np.ndarray:
        """Mean score of each candidate over the folds."""
        return self.folds.mean(axis=1)

    @property
    def sign(self) -> int:
        """1 if higher scores are better, -1 if lower ones are."""
        return sign(self.metric)

    @property
    def varied(self) -> list[str]:
        """Names of the parameters with more than one value."""
        return [name for name in self.parameters if self.parameters[name].nunique() > 1]

    def tried(self, name: str) -> pd.Series:
        """Return a parameter's values in all candidates, those that failed last."""
        scored = self.parameters[name]
        failed = self.failed[name].dropna().astype(scored.dtype)
        return pd.concat([scored, failed], ignore_index=True)

    @property
    def best(self) -> Parameters:
        """Parameters of the best candidate."""
        return {name: self.parameters[name].tolist()[0] for name in self.parameters}

    @property
    def names(self) -> list[str]:
        """Each candidate's parameters on one line."""
        return [candidate_name(row) for row in self.parameters.to_dict("records")]

    @property
    def whose(self) -> str:
        """Words for the learner of a race that the candidates belong to; empty if none raced."""
        return f" of {self.learners[0].learner}" if self.learners else ""

    @cached_property
    def behind(self) -> list[Difference]:
        """The best candidate's lead over each candidate, paired by fold; positive means better."""
        scale = float(np.abs(self.folds).max())
        return [difference(self.sign * (self.folds[0] - scores), scale) for scores in self.folds]


def difference(by_fold: np.ndarray, scale: float = 1.0, more: float = 0.0) -> Difference:
    """Summarise the differences of two scores by fold.

    Args:
        by_fold: One difference per fold; at least two folds.
        scale: Size of the scores; differences that can come from rounding them are none.
        more: A standard error that does not come from the folds.
    """
    folds, rounding = len(by_fold), ROUNDING * scale
    if np.abs(by_fold).max() <= rounding:
        return Difference(0.0, 0.0, False)
    mean, error = float(by_fold.mean()), float(np.hypot(by_fold.std(ddof=1) / np.sqrt(folds), more))
    bound = special.stdtrit(folds - 1, (1 + CONFIDENCE) / 2) * error
    return Difference(mean, error, bool(abs(mean) > max(bound, rounding)))


def parse_candidates(
    text: str, source: str = "candidates.csv", generations: str | None = None
) -> Candidates:
    """Read the candidates of a search.

    Args:
        text: The content of candidates.csv.
        source: The file's name in error messages.
        generations: The content of generations.csv, which alone knows the diversity of the generations in
            the search space.

    Raises:
        UserError: The text is not such a table, or has no candidate with scores.
    """
    try:
        table = pd.read_csv(io.StringIO(text), dtype={"generations": str}, float_precision="round_trip")
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(f"{source} is not a table of candidates: {error}") from None
    names = list(takewhile(lambda name: not name.startswith("val_"), table.columns))
    folds = [name for name in table.columns if name.startswith("val_") and "_fold_" in name]
    if not names or len(folds) < 2 or "fit_seconds" not in table:
        raise UserError(
            f"{source} must be the candidates.csv of a search, with columns of parameters, "
            f"val_<metric>_fold_<n> and fit_seconds; got {', '.join(table.columns[:5])}, ..."
        )
    scored = table["fit_seconds"].notna()
    done = table[scored]
    if done.empty:
        raise UserError(f"{source} has no candidate with scores")
    metric = folds[0].removeprefix("val_").rpartition("_fold_")[0]
    learners = _raced(done, metric) if LEARNER in done else []
    failed = table[~scored]
    scoreless = failed[LEARNER].drop_duplicates().tolist() if learners else []
    unfitted = [name for name in scoreless if name not in [one.learner for one in learners]]
    if learners:
        done, failed = (_own(rows, names, learners[0].learner) for rows in (done, failed))
        names = [name for name in names if name in done]
        failed = failed.reindex(columns=[*names, "error"] if "error" in table else names)
    listed = done["generations"].fillna("") if "generations" in done else []
    try:
        scores, seconds = (done[of].to_numpy(float) for of in (folds, "fit_seconds"))
        # Of a race the best learner may never have had a turn after its first candidate.
        drawn = [[int(number) for number in numbers.split()] for numbers in listed if any(listed)]
    except ValueError as error:
        raise UserError(f"{source} is not a table of candidates: {error}") from None
    if not np.isfinite(scores).all():
        raise UserError(f"{source} has a candidate without a score on some fold")
    return Candidates(
        parameters=done[names].reset_index(drop=True),
        metric=metric,
        folds=scores,
        seconds=seconds,
        generations=drawn,
        failed=failed[[*names, *(["error"] if "error" in table else [])]],
        learners=learners,
        unfitted=unfitted,
        diversity=_diversity(generations, learners) if drawn and generations else {},
    )


def _diversity(generations: str, learners: Sequence[Raced]) -> dict[int, float]:
    """Return the diversity of each generation; of a race, of those of the best learner."""
    table = pd.read_csv(io.StringIO(generations), float_precision="round_trip")
    if learners:
        table = table[table[LEARNER] == learners[0].learner]
    return dict(zip(table["generation"].astype(int), table["diversity"].astype(float), strict=True))


def _raced(done: pd.DataFrame, metric: str) -> list[Raced]:
    """Return the learners of scored candidates; these are sorted, best first."""
    of_each = done.groupby(LEARNER, sort=False)[f"val_{metric}"]
    return [Raced(str(name), len(means), float(means.iloc[0])) for name, means in of_each]


def _own(rows: pd.DataFrame, names: Sequence[str], learner: str) -> pd.DataFrame:
    """Return a learner's rows, with its own parameters and their types."""
    kinds = get_learner(learner).parameters
    own = rows[rows[LEARNER] == learner]
    kept = [name for name in names if name in kinds and own[name].notna().any()]
    # Other learners' rows are empty there, which made whole numbers floats.
    types = {name: kind.type for name in kept if isinstance(kind := kinds[name], Range)}
    return own.drop(columns=[name for name in names if name not in kept]).astype(types)
