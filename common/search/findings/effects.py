"""The effect of each hyperparameter on the score: differences paired by fold, and shares of variance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from common.data.readable import told_apart
from common.search.findings.candidates import ROUNDING, Candidates, Difference, difference

# The range of a parameter with more than MOST_VALUES values is divided into PARTS equal parts.
MOST_VALUES, PARTS = 6, 3
# What rounding leaves of a pull or of a candidate's freedom that is none.
NO_PULL, NO_FREEDOM = 1e-12, 1e-9
# Decimals of a share of variance that are more than rounding.
SHARE_DIGITS = 9
# A range whose ends differ by at least this factor is analysed on a log scale.
LOG_FACTOR = 10


@dataclass(frozen=True)
class Level:
    """A value of a parameter, or a part of its range.

    Attributes:
        label: Its text for display.
        low: The value, or the smallest value of the part.
        high: The value, or the largest value of the part.
        members: For each candidate, whether its value is in the level.
    """

    label: str
    low: object
    high: object
    members: np.ndarray


@dataclass(frozen=True)
class Effect:
    """The effect of a parameter on the score.

    Attributes:
        parameter: The parameter's name.
        ordered: Whether its values are numbers.
        levels: Its levels, at least two, in order.
        by_fold: Mean score with the other parameters held equal (levels x folds).
        share: Share of the variance of the candidates' mean scores that the parameter explains by itself;
            of candidates that are no whole grid, that which no other parameter can explain.
        share_error: Standard error of that share, by leaving out each fold; NaN if scores differ on one
            fold only, or if the candidates are no whole grid: others would give another share.
        apart: Whether the candidates suffice to tell its effect from those of other parameters.
        pulls: What each candidate's score adds to each level's mean, with the other parameters held equal
            (levels x candidates).
        misfits: What is left of each candidate's score when the fit is to the others alone; infinite
            where they do not suffice, and zeros for a whole grid, which leaves none out.
    """

    parameter: str
    ordered: bool
    levels: Sequence[Level]
    by_fold: np.ndarray
    share: float
    share_error: float
    apart: bool
    pulls: np.ndarray
    misfits: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """Mean score of each level."""
        return self.by_fold.mean(axis=1)

    @property
    def spreads(self) -> np.ndarray:
        """Standard deviation over the folds of each level's mean, less what all levels share."""
        return (self.by_fold - self.by_fold.mean(axis=0)).std(axis=1)

    @property
    def is_clear(self) -> bool:
        """Whether the level with the highest mean is clearly above the one with the lowest."""
        return self.gain(int(np.argmax(self.means)), int(np.argmin(self.means))).clear

    def gain(self, level: int, over: int) -> Difference:
        """Return by how much the score is higher at one level than at another.

        Its error is that over the folds, and that of the candidates: fits by terms of single parameters
        leave something of each unexplained, and other candidates would have given other terms. Source of
        the latter: MacKinnon and White (1985), HC3.
        """
        pull = self.pulls[level] - self.pulls[over]
        there = np.abs(pull) > NO_PULL
        drawn = float(np.linalg.norm(pull[there] * self.misfits[there]))
        scale = float(np.abs(self.by_fold).max())
        return difference(self.by_fold[level] - self.by_fold[over], scale, drawn)


@dataclass(frozen=True)
class Pair:
    """An interaction: two parameters, and the share of variance beyond what each explains by itself."""

    first: str
    second: str
    share: float
    share_error: float


@dataclass(frozen=True)
class Effects:
    """All of a search's effects.

    Attributes:
        effects: Effects of the parameters that vary, largest share of variance first.
        pairs: Interactions of these parameters, largest share of variance first.
        apart: Whether the candidates suffice to separate the parameters' effects. If not, inseparable
            effects share the credit, and the shares of variance are meaningless.
        differ: Whether the candidates' scores differ at all, by more than rounding.
        whole: Whether the candidates are all of a grid.
    """

    effects: Sequence[Effect]
    pairs: Sequence[Pair]
    apart: bool
    differ: bool = True
    whole: bool = True

    @property
    def unassigned(self) -> float:
        """Share of the variance that no parameter explains by itself: several do, or none.

        It is negative where shares overlap: what takes several parameters is lost without each.
        """
        return round(1 - sum(effect.share for effect in self.effects), SHARE_DIGITS)


def find_effects(candidates: Candidates) -> Effects:
    """Fit the scores by an additive model with one term per parameter.

    On a full grid the terms are the plain means of each value's candidates, and the shares are the main
    effects of an analysis of variance of the mean scores. If candidates are missing or were drawn at
    random, a value is not credited with the effects of other values that happen to occur with it.
    """
    scores = candidates.folds
    levels = {name: find_levels(candidates.parameters[name]) for name in candidates.varied}
    parts = {name: _indicators([level.members for level in found]) for name, found in levels.items()}
    constant = np.ones((len(scores), 1))
    whole = np.hstack([constant, *parts.values()])
    fitted, _, rank = _least_squares(whole, scores)
    means = scores @ _means(scores.shape[1])
    left, total = _least_squares(whole, means)[1], _varying(means)
    is_whole = _is_whole(candidates.parameters[candidates.varied], levels)
    pulls, misfits = _influence(whole, means[:, 0], is_whole)
    effects, start = [], 1
    for name, found in levels.items():
        own = slice(start, start + len(found))
        terms, start = fitted[own], own.stop
        middle = parts[name].mean(axis=0) @ terms
        others = [constant, *(part for other, part in parts.items() if other != name)]
        _, without, rank_without = _least_squares(np.hstack(others), means)
        share, error = _share(without - left, total)
        by_fold = scores.mean(axis=0) + terms - middle
        ordered = pd.api.types.is_numeric_dtype(candidates.parameters[name])
        apart = rank - rank_without == len(found) - 1
        error = error if is_whole else np.nan
        effect = Effect(name, ordered, found, by_fold, share, error, apart, pulls[own], misfits)
        effects.append(effect)
    effects.sort(key=lambda effect: (-round(effect.share, 9), effect.parameter))
    pairs = []
    for one, other in combinations([effect.parameter for effect in effects], 2):
        cells = (parts[one][:, :, None] * parts[other][:, None, :]).reshape(len(scores), -1)
        share, error = _share(left - _least_squares(np.hstack([whole, cells]), means)[1], total)
        pairs.append(Pair(one, other, share, error))
    pairs.sort(key=lambda pair: (-round(pair.share, 9), pair.first, pair.second))
    needed = 1 + sum(len(found) - 1 for found in levels.values())
    return Effects(effects, pairs, rank == needed, bool(total.any()), is_whole)


def find_levels(values: pd.Series) -> list[Level]:
    """Return a parameter's levels in order: its values, or parts of the range of many numbers."""
    distinct = sorted(values.unique())
    if len(distinct) <= MOST_VALUES or not pd.api.types.is_numeric_dtype(values):
        labels = told_apart(distinct, show, 3)
        return [
            Level(label, v, v, (values == v).to_numpy())
            for label, v in zip(labels, distinct, strict=True)
        ]
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
    """Return whether the range of some numbers is so wide that a log scale is appropriate."""
    return bool(values.min() > 0 and values.max() >= LOG_FACTOR * values.min())


def show(value: object, digits: int = 3) -> str:
    """Format a value for display: numbers with three significant digits, whole numbers in full."""
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        return f"{value:.{digits}g}"
    return f"{value:.0f}" if isinstance(value, (float, np.floating)) else str(value)


def _indicators(members: Sequence[np.ndarray]) -> np.ndarray:
    return np.column_stack(members).astype(float)


def _least_squares(terms: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the minimum-norm coefficients, the residual sum of squares by column, and the rank."""
    fitted, _, rank, _ = np.linalg.lstsq(terms, scores, rcond=1e-10)
    return fitted, ((scores - terms @ fitted) ** 2).sum(axis=0), int(rank)


def _is_whole(parameters: pd.DataFrame, levels: Mapping[str, Sequence[Level]]) -> bool:
    """Return whether candidates are all of a grid."""
    count = int(np.prod([parameters[name].nunique() for name in levels]))
    return len(parameters.drop_duplicates()) == len(parameters) == count


def _influence(terms: np.ndarray, means: np.ndarray, is_whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return `Effect.pulls` of all terms (terms x candidates), and `Effect.misfits`."""
    pulls = np.linalg.pinv(terms, rcond=1e-10)
    if is_whole:
        return pulls, np.zeros(len(means))
    freedom = 1 - np.einsum("ij,ji->i", terms, pulls)
    free, left = freedom > NO_FREEDOM, means - terms @ (pulls @ means)
    return pulls, np.where(free, left / np.where(free, freedom, 1), np.inf)


def _means(folds: int) -> np.ndarray:
    """Return the weights of folds in means: of all of them, then of all but each (folds x 1 + folds)."""
    without = (1 - np.eye(folds)) / (folds - 1)
    return np.column_stack([np.full(folds, 1 / folds), without])


def _varying(means: np.ndarray) -> np.ndarray:
    """Return the sum of squares by column; 0 where the scores differ by no more than rounding."""
    total = ((means - means.mean(axis=0)) ** 2).sum(axis=0)
    least = len(means) * (ROUNDING * np.abs(means).max(axis=0)) ** 2
    return np.where(total > least, total, 0)


def _share(explained: np.ndarray, total: np.ndarray) -> tuple[float, float]:
    """Return the explained share of the sum of squares, and its standard error, NaN if it is not known.

    The share on each fold would be a share of chance: what a parameter does on one fold and not on
    others is no effect, and the mean over the folds has little of it. So the error is the jackknife's.

    Args:
        explained: Sums of squares of the columns of `_means`.
        total: What they are shares of.
    """
    if not total.any():
        return 0.0, 0.0
    shares = np.divide(explained, total, out=np.full(len(total), np.nan), where=total > 0)
    # Without a difference of means there is none to explain, even if folds differ.
    # Of one parameter alone it is all, whatever rounding leaves.
    share = max(round(float(shares[0]), SHARE_DIGITS), 0.0) if total[0] > 0 else 0.0
    without = shares[1:]
    return share, round(float(np.sqrt((len(without) - 1) * without.var())), SHARE_DIGITS)
