"""Who is better, and whether by enough to be champion: from scores on the same rows, pure arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from common.learning.metrics import sign
from common.search.findings.candidates import Difference, difference

SAMPLE = "sample"
# Differences that rounding alone can make.
NOTHING = 1e-12


@dataclass(frozen=True)
class Contestant:
    """What is known of a version when it is compared.

    Attributes:
        version: its number.
        dataset: name of the data set that it learnt from.
        source: where that came from; SAMPLE: the built-in synthetic sample.
        metric: that its search went by.
        folds_digest: of its training rows and the folds they were in.
        fold_scores: the metric on each of these folds.
    """

    version: str
    dataset: str
    source: str
    metric: str
    folds_digest: str
    fold_scores: Sequence[float]


@dataclass(frozen=True)
class Comparison:
    """Two contestants on the same rows, part by part.

    Attributes:
        metric: by which they are compared.
        ours: mean of the first one's scores.
        theirs: of the other's.
        difference: by how much the first is better; negative where it is worse.
        where: on which rows.
    """

    metric: str
    ours: float
    theirs: float
    difference: Difference
    where: str

    @property
    def better(self) -> bool:
        """Whether the first one is better, by however little."""
        return self.difference.mean > NOTHING


class Incomparable(UserError):
    """Two contestants cannot be compared, or there is no need to."""


def same_folds(ours: Contestant, theirs: Contestant) -> bool:
    """Tell whether both were scored over the same rows in the same folds."""
    return bool(ours.folds_digest) and ours.folds_digest == theirs.folds_digest


def compare_parts(metric: str, ours: Sequence[float], theirs: Sequence[float], where: str) -> Comparison:
    """Compare scores pair by pair.

    Args:
        metric: what they are of.
        ours: of one contestant, one score a part of the rows; at least two parts.
        theirs: of the other one, on the same parts.
        where: what the rows are called.
    """
    of_us, of_them = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    gained = difference(sign(metric) * (of_us - of_them))
    return Comparison(metric, float(of_us.mean()), float(of_them.mean()), gained, where)


def unlike(ours: Contestant, theirs: Contestant) -> str | None:
    """Return why a contender cannot take a champion's place, whatever it scores; None where it can."""
    if theirs.dataset != ours.dataset:
        return (
            f"it learnt from data set {ours.dataset!r}, champion {theirs.version} from {theirs.dataset!r}"
        )
    if ours.source == SAMPLE and theirs.source != SAMPLE:
        return f"it learnt from the synthetic sample, champion {theirs.version} from real rows"
    if theirs.metric != ours.metric:
        return f"it was searched by {ours.metric}, champion {theirs.version} by {theirs.metric}"
    return None


@dataclass(frozen=True)
class Terms:
    """What a contender must do for the alias.

    Attributes:
        margin: by how much it must be better than the champion, in the metric's unit; None: by one
            standard error of the difference.
        gates: what it must keep in any case; see common.champion.gates.
    """

    margin: float | None
    gates: Mapping[str, float]

    def takes(self, found: Comparison) -> tuple[bool, str]:
        """Tell whether a contender's lead is enough, and say so."""
        gained = found.difference
        asked = gained.error if self.margin is None else self.margin
        enough = gained.mean > max(asked, NOTHING)
        unit = "one standard error" if self.margin is None else "margin"
        scores = f"{found.metric} {found.ours:.6f} against {found.theirs:.6f} {found.where}"
        lead = f"a difference of {gained.mean:+.6f} +- {gained.error:.6f}"
        verdict = "better" if enough else "not better by more than the margin"
        if not enough and not found.better:
            verdict = "not better"
        return enough, f"{verdict}: {scores}, {lead}; asked for more than {asked:.6f} ({unit})"


def parse_margin(margin: str) -> float | None:
    """Read a margin: `auto` (one standard error), or a number that is not negative.

    Raises:
        UserError: it is neither.
    """
    if margin == "auto":
        return None
    try:
        value = float(margin)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UserError(
            "margin must be auto (one standard error of the difference) or a number of at least 0, "
            f"got {margin!r}"
        )
    return value
