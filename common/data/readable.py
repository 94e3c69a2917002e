"""A value of a table as a person reads it."""

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Context
from typing import TypeVar

Value = TypeVar("Value")
# Numbers between these are shown with two decimals, and larger ones with an exponent.
LEAST_SHOWN, MOST_SHOWN = 1, 1e15
# Further digits of a mean may come from rounding errors.
SURE_DIGITS = 11
# As many tell any two doubles apart.
ALL_DIGITS = 17


def readable(value: object) -> str:
    """Format a cell: numbers with thousands separators and two decimals, small ones with four digits.

    A number next to a whole one has as many decimals as tell it apart.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if value and not LEAST_SHOWN <= abs(value) < MOST_SHOWN:
            text = f"{value:.4g}"
            # Four digits of 0.99999 would make it 1.
            return f"{value:.{SURE_DIGITS}g}" if abs(float(text)) == LEAST_SHOWN else text
        return f"{value:,.{_decimals(value)}f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _decimals(value: float) -> int:
    rest = abs(value - round(value)) if math.isfinite(value) else 0.0
    if not 0 < rest < 0.005:
        return 2
    return max(2, min(-math.floor(math.log10(rest)), SURE_DIGITS - len(str(int(abs(value))))))


def bound(most: float) -> str:
    """Format the largest of some small differences with two digits, rounded up; 0 as it is."""
    up = Context(prec=2, rounding=ROUND_CEILING).create_decimal_from_float(most)
    return f"{up:.1e}" if most else "0"


def within(most: float, of: str = "") -> str:
    """Return how close two calculations are, after a verb: exactly, or to within a bound.

    Args:
        most: The bound.
        of: Words for what it is a part of; empty for a bound as it is.
    """
    return f"to within {bound(most)}" + (f" of {of}" if of else "") if most else "exactly"


def told_apart(values: Sequence[Value], show: Callable[[Value, int], str], digits: int) -> list[str]:
    """Format different values with so many digits, or as many more as it takes to tell them apart.

    Where all digits of a double do not, they have all.
    """
    tried = ([show(value, more) for value in values] for more in range(digits, ALL_DIGITS))
    all_digits = [show(value, ALL_DIGITS) for value in values]
    return next((shown for shown in tried if len({*shown}) == len(shown)), all_digits)
