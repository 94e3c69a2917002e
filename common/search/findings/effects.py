"""What each hyperparameter does to the score: effects paired by fold, and shares of the variance."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from common.search.findings.candidates import Candidates, Difference, difference

# A parameter with more values than this is looked at in so many equal parts of its range.
MOST_VALUES, PARTS = 6, 3
# A range whose ends differ by such a factor is looked at in logarithms.
LOG_FACTOR = 10


@dataclass(frozen=True)
class Level:
    """A value of a parameter, or a part of its range.

    Attributes:
        label: how it is shown.
        low: the value, or the least of them.
        high: the value, or the greatest of them.
        members: for each candidate whether it has it.
    """

    label: str
    low: object
    high: object
    members: np.ndarray


@dataclass(frozen=True)
class Effect:
    """What a parameter does to the score.

    Attributes:
        parameter: its name.
        ordered: whether its values are numbers.
        levels: at least two, in order.
        by_fold: mean score of each level on each fold, the other parameters held equal.
        share: part of the scores' variance, over candidates, that it explains by itself.
        share_error: standard error of that over the folds.
    """

    parameter: str
    ordered: bool
    levels: Sequence[Level]
    by_fold: np.ndarray
    share: float
    share_error: float

    @property
    def means(self) -> np.ndarray:
        """Mean score of each level."""
        return self.by_fold.mean(axis=1)

    @property
    def spreads(self) -> np.ndarray:
        """Standard deviation of each level's mean over the folds, less what all levels share."""
        return (self.by_fold - self.by_fold.mean(axis=0)).std(axis=1)

    def gain(self, level: int, over: int) -> Difference:
        """By how much the score is higher at one level than at another."""
        return difference(self.by_fold[level] - self.by_fold[over])


@dataclass(frozen=True)
class Pair:
    """Two parameters, and what of the variance is theirs together beyond what each explains."""

    first: str
    second: str
    share: float
    share_error: float


@dataclass(frozen=True)
class Effects:
    """All of a search's effects.

    Attributes:
        effects: of the parameters that vary, the one that explains most first.
        pairs: of these, those that explain most together first.
        apart: whether the candidates suffice to tell the parameters' effects apart; where they do
            not, effects share what cannot be told apart, and shares of the variance mean nothing.
    """

    effects: Sequence[Effect]
    pairs: Sequence[Pair]
    apart: bool


def find_effects(candidates: Candidates) -> Effects:
    """Fit, on each fold, the scores as a sum of one term a parameter.

    On a whole grid the terms are the plain means of each value's candidates, and the shares the main
    effects of an analysis of variance; where candidates are missing or were drawn, a value is not
    credited with what came along with it.
    """
    scores = candidates.folds
    levels = {name: find_levels(candidates.parameters[name]) for name in candidates.varied}
    parts = {name: _indicators([level.members for level in found]) for name, found in levels.items()}
    constant = np.ones((len(scores), 1))
    whole = np.hstack([constant, *parts.values()])
    fitted, left, rank = _least_squares(whole, scores)
    total = np.maximum(((scores - scores.mean(axis=0)) ** 2).sum(axis=0), 1e-30)
    effects, start = [], 1
    for name, found in levels.items():
        terms = fitted[start : start + len(found)]
        start += len(found)
        middle = parts[name].mean(axis=0) @ terms
        others = [constant, *(part for other, part in parts.items() if other != name)]
        without = _least_squares(np.hstack(others), scores)[1]
        share, error = _over_folds((without - left) / total)
        by_fold = scores.mean(axis=0) + terms - middle
        ordered = pd.api.types.is_numeric_dtype(candidates.parameters[name])
        effects.append(Effect(name, ordered, found, by_fold, share, error))
    effects.sort(key=lambda effect: (-round(effect.share, 9), effect.parameter))
    pairs = []
    for one, other in combinations([effect.parameter for effect in effects], 2):
        cells = (parts[one][:, :, None] * parts[other][:, None, :]).reshape(len(scores), -1)
        share, error = _over_folds((left - _least_squares(np.hstack([whole, cells]), scores)[1]) / total)
        pairs.append(Pair(one, other, share, error))
    pairs.sort(key=lambda pair: (-round(pair.share, 9), pair.first, pair.second))
    needed = 1 + sum(len(found) - 1 for found in levels.values())
    return Effects(effects, pairs, rank == needed)


def find_levels(values: pd.Series) -> list[Level]:
    """Return a parameter's values in order; of many numbers, parts of their range."""
    distinct = sorted(values.unique())
    if len(distinct) <= MOST_VALUES or not pd.api.types.is_numeric_dtype(values):
        return [Level(show(v), v, v, (values == v).to_numpy()) for v in distinct]
    places = np.log(values) if is_logarithmic(values) else values
    part = pd.cut(places, PARTS, labels=False).to_numpy()
    levels = []
    for number in np.unique(part):
        members = part == number
        low, high = values[members].min(), values[members].max()
        label = show(low) if low == high else f"{show(low)} to {show(high)}"
        levels.append(Level(label, low, high, members))
    return levels


def is_logarithmic(values: pd.Series) -> bool:
    """Tell whether numbers lie so far apart that their logarithms are what to look at."""
    return bool(values.min() > 0 and values.max() >= LOG_FACTOR * values.min())


def show(value: object) -> str:
    """Return a value as it is shown: numbers to three digits, whole ones in full."""
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        return f"{value:.3g}"
    return f"{value:.0f}" if isinstance(value, (float, np.floating)) else str(value)


def _indicators(members: Sequence[np.ndarray]) -> np.ndarray:
    return np.column_stack(members).astype(float)


def _least_squares(terms: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return coefficients (the smallest, where several do), what is left by fold, and the rank."""
    fitted, _, rank, _ = np.linalg.lstsq(terms, scores, rcond=1e-10)
    return fitted, ((scores - terms @ fitted) ** 2).sum(axis=0), int(rank)


def _over_folds(shares: np.ndarray) -> tuple[float, float]:
    return max(float(shares.mean()), 0.0), float(shares.std(ddof=1) / np.sqrt(len(shares)))
