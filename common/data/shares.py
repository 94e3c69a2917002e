"""Shares as text: rounded, but never to none or all where it is neither."""

MOST_DIGITS = 12


def percent(share: float, digits: int = 0) -> str:
    """Format a share: `12%`, `<1%`, `>99%`.

    Args:
        share: The share, 0 to 1; NaN is `nan%`.
        digits: Decimals.
    """
    text = f"{share:.{digits}%}"
    if 0 < share < 1 and text in (f"{0:.{digits}%}", f"{1:.{digits}%}"):
        least = 10.0**-digits
        return f"<{least:.{digits}f}%" if share < 0.5 else f">{100 - least:.{digits}f}%"
    return text


def shown_probability(probability: float, beside: float | None = None) -> str:
    """Format a probability with three decimals, near 0 and 1 with two digits of the rest: `0.00042`.

    Args:
        probability: The probability.
        beside: Another that stands next to it; if they differ, so do their texts.
    """
    rest = min(probability, 1 - probability)
    differ = beside is not None and beside != probability
    digits = 3
    while digits < MOST_DIGITS and (
        0 < rest < 9.5 * 10.0**-digits
        or (differ and f"{probability:.{digits}f}" == f"{beside:.{digits}f}")
    ):
        digits += 1
    return f"{probability:.{digits}f}"
