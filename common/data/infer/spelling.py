"""Labels that are one value in two spellings."""

import re
from collections.abc import Mapping

from common.data.infer.patterns import WORDS
from common.data.infer.positive import number_of
from common.errors import UserError

PLAIN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?")


def check_spelling(name: str, counts: Mapping[str, int]) -> None:
    """Refuse labels of which two are one number or one word, so that they are not taken for two classes.

    Args:
        name: The label's column.
        counts: Number of rows of each label.

    Raises:
        UserError: There are such labels.
    """
    _check_numbers(name, counts)
    _check_case(name, counts)


def _check_numbers(name: str, counts: Mapping[str, int]) -> None:
    """Refuse one number in two spellings."""
    numbers: dict[float, str] = {}
    are_numbers = all(number_of(label) is not None for label in counts)
    for label in counts:
        number = number_of(label)
        # 1E1 among texts is one.
        if number is None or not (are_numbers or PLAIN.fullmatch(label)):
            continue
        if number in numbers:
            raise UserError(
                f"label {name!r} has one number in two spellings, {numbers[number]!r} and {label!r}: "
                "write it in one, or list all under labels if they are two classes"
            )
        numbers[number] = label


def _check_case(name: str, counts: Mapping[str, int]) -> None:
    """Refuse one word in two spellings; a and A may be two classes."""
    words: dict[str, str] = {}
    for label in counts:
        # Adult's test file has a point behind each label; copied texts have blanks that do not break.
        plain = " ".join(label.lower().split()).removesuffix(".")
        other = words.setdefault(plain, label)
        if other != label and (max(len(label), len(other)) > 1 or plain in WORDS):
            raise UserError(
                f"label {name!r} has one word in two spellings, {other!r} and {label!r}: write it in "
                "one, or list all under labels if they are two classes"
            )
