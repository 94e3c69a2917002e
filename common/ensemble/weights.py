"""The weights of a vote: a grid of mixes, and the choice of one of them on the folds."""

from dataclasses import dataclass
from math import comb

import numpy as np

MOST_MIXES = 100
# Numbers of equal parts of the total weight: the finest division that gives at most MOST_MIXES is used.
PARTS = (20, 10, 5, 4, 2, 1)


def grid_of_mixes(members: int) -> np.ndarray:
    """Return all mixes of members on a grid, those with the most equal weights first.

    Args:
        members: Number of members, at least 2. The step is 0.05 for two, 0.1 for three, 0.2 for four and
            0.25 for five members.

    Returns:
        Weights of shape (mixes, members); each row sums to 1. The mixes include each member alone.
    """
    parts = next(p for p in PARTS if comb(p + members - 1, members - 1) <= MOST_MIXES)
    mixes = sorted(_shares(parts, members), key=lambda mix: (sum(share**2 for share in mix), mix))
    return np.array(mixes) / parts


def _shares(parts: int, members: int) -> list[tuple[int, ...]]:
    if members == 1:
        return [(parts,)]
    return [
        (first, *others) for first in range(parts + 1) for others in _shares(parts - first, members - 1)
    ]


@dataclass(frozen=True)
class Weighing:
    """The scores of every mix on every fold.

    Attributes:
        mixes: Weights of shape (mixes, members), the most equal first.
        scores: Scores of shape (folds, mixes).
        sign: 1 if a higher score is better, -1 if a lower one is.
    """

    mixes: np.ndarray
    scores: np.ndarray
    sign: int = 1

    def choose(self, without: int | None = None) -> np.ndarray:
        """Return the mix with the best mean over the folds; ties go to the most equal weights.

        Args:
            without: A fold to leave out; None for all folds.
        """
        counted = self.scores if without is None else np.delete(self.scores, without, axis=0)
        return np.asarray(self.mixes[(self.sign * counted.mean(axis=0)).argmax()])

    def alone(self, member: int) -> list[float]:
        """Return the score of a member alone on each fold.

        Args:
            member: Index of the member.
        """
        place = self.mixes[:, member].argmax()
        return [float(value) for value in self.scores[:, place]]
