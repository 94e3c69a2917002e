"""The decimal mark of a CSV file's numbers, from the beginning of the file."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from common.data.infer.patterns import MARKERS, SPACE, UNIT, patterns

OTHER = {",": ".", ".": ","}
# A column is one of numbers if this share of its values are.
NUMBERS = 0.8
# A column has a decimal mark if this share of its values do; fewer may be mistakes.
CLEAR = 0.1
# Signs around a number: of a currency, a percentage, or the parentheses of a negative amount.
BEFORE, BEHIND = rf"\(?[+-]?(?:{UNIT}{SPACE}?[+-]?)?\(?", rf"-?\)?{SPACE}?(?:{UNIT}|%)?\)?"
SIGNS = re.compile(rf"\A{BEFORE}|(?<=[0-9]){BEHIND}\Z")
WHOLE = re.compile(r"[0-9]+")
# With either mark: a number with three decimals, or thousands.
DOUBTFUL = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
THOUSAND = 1000
# Thousands apart by blanks, as French, Swedish and Polish spreadsheets write them, beside commas.
SPACED = re.compile(rf"[1-9][0-9]{{0,2}}(?:{SPACE}[0-9]{{3}})+")


class Mark(NamedTuple):
    """A decimal mark, and whether a number has shown it; if none has, later rows may."""

    mark: str
    is_shown: bool


def find_decimal(separator: str, rows: Sequence[Sequence[str]]) -> Mark:
    """Find the mark: a comma if numbers are written with one; 1,234 alone has one only after semicolons.

    Only columns of numbers count, also of amounts and percentages. Each has one vote: numbers of versions
    or hours all have a mark, and of measurements some are whole. But a few marks may be mistakes.

    Args:
        separator: The character between two fields.
        rows: The fields of some records, as many each.
    """
    sure, doubtful, votes = Counter[str](), Counter[str](), Counter[str]()
    for column in zip_longest(*rows, fillvalue=""):
        marks, doubts = _marks(column, separator)
        sure += marks
        doubtful += doubts
        for mark, count in marks.most_common(1):
            votes[mark] += count >= CLEAR * sum(value not in MARKERS for value in column if value)
    return Mark(_chosen(separator, sure, doubtful, votes), bool(sure))


def marked_number() -> str:
    """Return the pattern of a raw field that is a number with a decimal mark or thousands."""
    shapes = (shape.pattern for known in _shapes().values() for shape in known)
    return rf'\A[ \t"]*(?=[^.,]*[.,]){BEFORE}(?:{"|".join(shapes)}){BEHIND}[ \t"]*\z'


def _chosen(separator: str, sure: Counter[str], doubtful: Counter[str], votes: Counter[str]) -> str:
    """Return the mark by the numbers that have it, those that seem to, and the columns' votes."""
    if separator == ",":
        # Such a number is quoted, and so may be a text of two numbers.
        return "," if sure[","] and not sure["."] and not doubtful[","] else "."
    if sure:
        if votes[","] != votes["."]:
            return "," if votes[","] > votes["."] else "."
        if votes[","] and separator == ";":
            return ","
        return "," if sure[","] > sure["."] else "."
    return "," if doubtful[","] and not doubtful["."] and separator == ";" else "."


def _marks(values: Iterable[str], separator: str) -> tuple[Counter[str], Counter[str]]:
    """Count the numbers of a column that have a certain decimal mark, and those that seem to have it."""
    sure, doubtful = Counter[str](), Counter[str]()
    bodies = [SIGNS.sub("", value) for value in values if value and value not in MARKERS]
    for body in bodies:
        mark = _mark(body)
        if mark is not None:
            sure[mark] += 1
        elif DOUBTFUL.fullmatch(body):
            doubtful["," if "," in body else "."] += 1
    wholes = [body for body in bodies if WHOLE.fullmatch(body)]
    if separator == ";" and any(int(whole) < THOUSAND for whole in wholes):
        # Without numbers below a thousand they may be those of telephones.
        doubtful[","] += sum(bool(SPACED.fullmatch(body)) for body in bodies)
    doubtful = +doubtful
    if sum(sure.values()) + sum(doubtful.values()) + len(wholes) < NUMBERS * len(bodies):
        return Counter(), Counter()
    # Who writes points between thousands separates fields by semicolons or tabs.
    groups = {",", "."} if separator in ";\t" else {","}
    if not sure and len(doubtful) == 1 and doubtful.keys() <= groups and _are_thousands(bodies, wholes):
        (mark,) = doubtful
        return Counter({OTHER[mark]: doubtful[mark]}), Counter()
    return sure, Counter({mark: count for mark, count in doubtful.items() if mark not in sure})


def _mark(body: str) -> str | None:
    """Return the decimal mark that a number must have; None if it is no number, whole, or 1,234."""
    if DOUBTFUL.fullmatch(body) or not ("," in body or "." in body):
        return None
    shapes = _shapes().items()
    return next((mark for mark, known in shapes if any(shape.fullmatch(body) for shape in known)), None)


@cache
def _shapes() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    known = {mark: patterns(mark) for mark in OTHER}
    return {mark: (re.compile(one.number), re.compile(one.grouped)) for mark, one in known.items()}


def _are_thousands(bodies: Sequence[str], wholes: Sequence[str]) -> bool:
    """Return whether numbers that look like 2.850 are whole ones beside others such as 993.

    What writes three decimals writes 993.000, and what drops zeros at the end writes 2.85.
    """
    small = bool(wholes) and all(int(whole) < THOUSAND for whole in wholes)
    return small and any(DOUBTFUL.fullmatch(body) and body.endswith("0") for body in bodies)
