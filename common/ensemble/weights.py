"""The weights of a vote: every mix of a grid, and which of them the folds choose."""

from dataclasses import dataclass
from math import comb

import numpy as np

MOST_MIXES = 100
# Parts that the whole is cut into: the most that keep to MOST_MIXES are taken.
PARTS = (20, 10, 5, 4, 2, 1)


def grid_of_mixes(members: int) -> np.ndarray:
    """Return all mixes of some members on a grid, the most equal first.

    Args:
        members: how many, at least 2: of two the step is 0.05, of three 0.1, of four 0.2, of five 0.25.

    Returns:
        A row a mix, a column a member; each row sums to 1. The members alone are among them.
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
    """How every mix does on every fold.

    Attributes:
        mixes: a row a mix, the most equal first.
        scores: a row a fold, a column a mix.
        sign: 1 where a higher score is better, -1 where a lower one is.
    """

    mixes: np.ndarray
    scores: np.ndarray
    sign: int = 1

    def choose(self, without: int | None = None) -> np.ndarray:
        """Return the mix with the best mean over the folds; of equals the most equal.

        Args:
            without: a fold that has no say.
        """
        counted = self.scores if without is None else np.delete(self.scores, without, axis=0)
        return np.asarray(self.mixes[(self.sign * counted.mean(axis=0)).argmax()])

    def alone(self, member: int) -> list[float]:
        """Return the score of a member alone on each fold."""
        place = self.mixes[:, member].argmax()
        return [float(value) for value in self.scores[:, place]]
