"""Confidence intervals of shares."""

import numpy as np
from scipy import special


def interval(positive: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of Wilson's 95% confidence interval of shares.

    Args:
        positive: Number of positive rows.
        count: Number of rows.
    """
    z = special.ndtri(0.975)
    share = positive / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half
