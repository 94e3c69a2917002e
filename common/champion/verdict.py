"""The verdict: which contestant is better, and by enough, from scores on the same rows; no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.data.target import BINARY, predicted
from common.errors import UserError
from common.learning.metrics import shown_score, sign
from common.learning.threshold import HALF
from common.search.findings.candidates import Difference, difference

SAMPLE = "sample"
# Differences up to this size can come from rounding alone; as a share of the scores.
NOTHING = 1e-12
# Digits of a score in a verdict; more if it takes them to tell a lead from what is required of it.
DIGITS, MOST_DIGITS = 6, 12


@dataclass(frozen=True)
class Contestant:
    """The facts about a version that a comparison uses.

    Attributes:
        version: The version's number.
        dataset: Name of the data set that it was trained on.
        source: Source of that data set; SAMPLE is the built-in synthetic sample.
        metric: The metric that ranked its search.
        folds_digest: Digest of its training rows and their folds.
        fold_scores: The metric on each of these folds.
        task: What it predicts.
        labels: Number of labels; 0 for a number.
        labels_digest: Digest of the labels; empty if it is not known.
        at_threshold: The metric on each fold at the model's threshold, not at one half; empty if the
            threshold does not matter to it, or is not known.
    """

    version: str
    dataset: str
    source: str
    metric: str
    folds_digest: str
    fold_scores: Sequence[float]
    task: str = BINARY
    labels: int = 2
    labels_digest: str = ""
    at_threshold: Sequence[float] = ()


@dataclass(frozen=True)
class Comparison:
    """A comparison of two contestants on the same rows, part by part.

    Attributes:
        metric: The metric of the comparison.
        ours: Mean score of the first contestant.
        theirs: Mean score of the second contestant.
        difference: The first contestant's lead; negative if it is worse.
        where: A description of the rows.
    """

    metric: str
    ours: float
    theirs: float
    difference: Difference
    where: str

    @property
    def better(self) -> bool:
        """Whether the first contestant is better, by any amount."""
        return self.difference.mean > self.nothing

    @property
    def nothing(self) -> float:
        """The largest difference that can come from rounding alone."""
        return NOTHING * max(abs(self.ours), abs(self.theirs))


class Incomparable(UserError):
    """Two contestants cannot or need not be compared."""


def same_folds(ours: Contestant, theirs: Contestant) -> bool:
    """Return whether both were scored on the same rows in the same folds."""
    return bool(ours.folds_digest) and ours.folds_digest == theirs.folds_digest


def compare_on_folds(ours: Contestant, theirs: Contestant) -> Comparison:
    """Compare two contestants on their common folds, each as it predicts if that is known."""
    where = f"over the same {len(ours.fold_scores)} folds"
    if ours.at_threshold and theirs.at_threshold:
        where += ", each at its threshold"
        return compare_parts(ours.metric, ours.at_threshold, theirs.at_threshold, where)
    where += f" at {HALF}" if ours.at_threshold or theirs.at_threshold else ""
    return compare_parts(ours.metric, ours.fold_scores, theirs.fold_scores, where)


def compare_parts(metric: str, ours: Sequence[float], theirs: Sequence[float], where: str) -> Comparison:
    """Compare scores pairwise.

    Args:
        metric: The metric of the scores.
        ours: Scores of the first contestant, one per part of the rows; at least two parts.
        theirs: Scores of the second contestant on the same parts.
        where: A description of the rows.
    """
    of_us, of_them = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    gained = difference(sign(metric) * (of_us - of_them), np.abs([of_us, of_them]).max())
    return Comparison(metric, float(of_us.mean()), float(of_them.mean()), gained, where)


def unlike(ours: Contestant, theirs: Contestant) -> str | None:
    """Return why a contender cannot replace a champion, whatever its scores; None if it can."""
    if theirs.dataset != ours.dataset:
        return (
            f"it was trained on data set {ours.dataset!r}, "
            f"champion {theirs.version} on {theirs.dataset!r}"
        )
    reason = _predicts_other(ours, theirs)
    if reason is not None:
        return reason
    if ours.source == SAMPLE and theirs.source != SAMPLE:
        return f"it was trained on the synthetic sample, champion {theirs.version} on real rows"
    if theirs.metric != ours.metric:
        return f"it was searched by {ours.metric}, champion {theirs.version} by {theirs.metric}"
    return None


def _predicts_other(ours: Contestant, theirs: Contestant) -> str | None:
    said = [predicted(one.task, one.labels) for one in (ours, theirs)]
    if said[0] != said[1]:
        return f"it predicts {said[0]}, champion {theirs.version} {said[1]}"
    digests = {one.labels_digest for one in (ours, theirs) if one.labels_digest}
    if len(digests) < 2:
        return None
    # The digest is also of which of two is the positive one.
    other = "labels, or another positive one," if ours.task == BINARY else "labels"
    return f"it predicts other {other} than champion {theirs.version}"


@dataclass(frozen=True)
class Terms:
    """The conditions under which a contender gets the alias.

    Attributes:
        margin: The required lead over the champion, in the metric's unit; None for one standard error of
            the difference.
        gates: Bounds that the contender must meet in any case; see common.champion.gates.
    """

    margin: float | None
    gates: Mapping[str, float]

    def takes(self, found: Comparison) -> tuple[bool, str]:
        """Return whether a contender's lead is large enough, and the verdict for the user."""
        gained = found.difference
        asked = gained.error if self.margin is None else self.margin
        enough = gained.mean - asked > found.nothing
        unit = "one standard error" if self.margin is None else "margin"
        digits = _digits(found, asked)
        ours, theirs, error, bound = (
            shown_score(found.metric, value, digits)
            for value in (found.ours, found.theirs, gained.error, asked)
        )
        scores = f"{found.metric} {ours} against {theirs} {found.where}"
        lead = f"a difference of {shown_score(found.metric, gained.mean, digits, signed=True)} +- {error}"
        verdict = "better" if enough else "not better by more than the margin"
        if not enough and not found.better:
            verdict = "not better"
        return enough, f"{verdict}: {scores}, {lead}; required: more than {bound} ({unit})"


def _digits(found: Comparison, asked: float) -> int:
    """Return with how many digits a lead and what is required of it do not contradict the verdict."""
    lead, digits = found.difference.mean, DIGITS
    differ = abs(lead - asked) > found.nothing
    while digits < MOST_DIGITS:
        ours, bound = (shown_score(found.metric, abs(value), digits) for value in (lead, asked))
        if not (ours.startswith("<") or bound.startswith("<") or (differ and ours == bound)):
            break
        digits += 1
    return digits


def parse_margin(margin: str) -> float | None:
    """Parse a margin: `auto` (one standard error, returned as None) or a non-negative number.

    Raises:
        UserError: The margin is neither.
    """
    if margin == "auto":
        return None
    try:
        value = float(margin)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UserError(
            "margin must be auto (one standard error of the difference) or a non-negative number, "
            f"got {margin!r}"
        )
    return value
