"""The positive one of two labels."""

import re
from collections.abc import Mapping, Sequence

from common.data.infer.naming import listing
from common.data.reading import NUMBER, plain_text
from common.data.spec_yaml import Given
from common.errors import UserError

# Of two labels one of these is what a user asks about; 1 only beside 0 or -1, not beside 2.
POSITIVE = ("yes", "true", "t", "y", "1", "positive", "pos", "churned", "fraud", "spam", "default")
NEGATIVE = ("no", "false", "f", "n", "0", "-1", "negative", "neg")
ONE = "1"


def find_positive(counts: Mapping[str, int], given: Given, name: str) -> tuple[str, str]:
    """Return the positive one of two labels, and the reason for it.

    Args:
        counts: Number of rows of each label, in the labels' order.
        given: What the user says.
        name: The label's column.

    Raises:
        UserError: The one that is given does not occur.
    """
    labels: Sequence[str] = list(counts)
    if given.positive is not None:
        positive = plain_text(given.positive)
        if positive not in counts:
            raise UserError(
                f"positive {given.positive!r} does not occur in label {name!r}: it has {listing(labels)}"
            )
        return positive, "as given"
    if given.labels is not None:
        return labels[1], "the last of the given labels"
    for label, other in (labels, labels[::-1]):
        word, opposite = _word(label), _word(other)
        is_word = word in POSITIVE and (word != ONE or opposite in NEGATIVE)
        if is_word and opposite not in POSITIVE:
            return label, "by its word"
    for label, other in (labels, labels[::-1]):
        if _word(other) in NEGATIVE and _word(label) not in NEGATIVE:
            return label, f"the other is {other}"
    differ = counts[labels[0]] != counts[labels[1]]
    because = "the rarer" if differ else "the last of two as frequent ones"
    return min(reversed(labels), key=lambda label: counts[label]), because


def _word(label: str) -> str:
    """Return a label as POSITIVE and NEGATIVE have it: a whole number without its decimals."""
    number = number_of(label)
    if number is not None and number.is_integer():
        return f"{number:.0f}"
    return label.lower().removesuffix(".")


def number_of(label: str) -> float | None:
    """Return the number that a label is, with either decimal mark; None if it is none."""
    text = label.replace(",", ".")
    return float(text) if re.fullmatch(NUMBER, text) else None
