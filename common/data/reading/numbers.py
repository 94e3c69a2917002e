"""Numbers in text: plain ones, percentages and amounts of money, with a point or a comma for decimals."""

import re
from functools import cache
from typing import Any

# A number in text: ASCII digits, a point, an exponent. Java also accepts "1d", and Python "1_000".
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
DIGITS = r"[+-]?[0-9]+"
_DIGITS = re.compile(DIGITS)
# Python refuses to parse longer integers; apart from leading zeros, none of them fits in 64 bits.
LONGEST = 4000

INFINITE = re.compile(r"-?inf(?:inity)?", re.IGNORECASE)

# Writers of other languages put a space that does not break a line before a unit and within a number.
SPACE = r"[ \u00a0\u202f]"
SIGN = "[$€£¥₹]"
UNIT = f"(?:{SIGN}|[A-Z]{{3}})"


@cache
def number_pattern(decimal: str) -> str:
    """Return the pattern of a plain number; it means the same in Python and Java.

    Args:
        decimal: The decimal mark, a point or a comma.
    """
    return NUMBER if decimal == "." else NUMBER.replace(r"\.", ",")


@cache
def percent_pattern(decimal: str) -> str:
    """Return the pattern of a percentage; its only group is the number."""
    return rf"({number_pattern(decimal)})(?:{SPACE}?%)?"


@cache
def money_pattern(decimal: str) -> str:
    """Return the pattern of an amount of money that is no plain number.

    Its digits and its decimal mark, alone, are the amount. It is negative if there is a minus, behind it
    only after decimals (a grade may be 2-), or if it is in parentheses, with its currency or without. A
    currency may stand on one side, and thousands may be separated, all alike, or as in India: 12,34,567.
    A dash for the digits beside the sign of a currency is zero, as spreadsheets write it.
    """
    mark, other = (r"\.", ",") if decimal == "." else (",", r"\.")
    indian = "" if decimal == "," else "|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
    digits = rf"(?:[0-9]{{1,3}}(?:({SPACE}|{other}|['\u2019])[0-9]{{3}})(?:\1[0-9]{{3}})*{indian}|[0-9]+)"
    amount = rf"(?:{digits}(?:{mark}[0-9]*(?:(?<=[0-9])-)?)?|{mark}[0-9]+-?)"
    one_unit = rf"(?!.*{UNIT}.*{UNIT})"
    one_sign = r"(?!.*[+-].*[+-])(?!.*[+-].*\(|.*\(.*[+-])"
    # The ways to place parentheses repeat the same groups, so that these are matched one by one.
    one_pair = r"(?=[^()]*(?:\([^()]*\)[^()]*)?\z)"
    before, behind = rf"\(?[+-]?(?:{UNIT}{SPACE}?[+-]?)?\(?", rf"\)?(?:{SPACE}?{UNIT})?\)?"
    zero = rf"{SIGN}{SPACE}*-|-{SPACE}*{SIGN}"
    return rf"(?:{zero}|{one_unit}{one_sign}{one_pair}{before}{amount}{behind})"


def unit_of(text: str) -> str:
    """Return the currency in the text of an amount, such as `$` or `EUR`; empty if there is none."""
    found = re.search(UNIT, text)
    return found[0] if found else ""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Python's \Z means what Java's \z means.
    return re.compile(pattern.replace(r"\z", r"\Z"))


def parse_number(text: str, decimal: str = ".") -> Any:
    """Parse a number: an int if the text has only digits and a sign, else a float; or keep the text."""
    if _DIGITS.fullmatch(text) and len(text) < LONGEST:
        return int(text)
    if _compiled(number_pattern(decimal)).fullmatch(text):
        return float(text.replace(",", "."))
    return text


def infinity_of(text: str) -> float | None:
    """Return the infinite number that a text names, such as `inf` or `-Infinity`; None for any other."""
    return float(text) if INFINITE.fullmatch(text) else None


def parse_percent(text: str, decimal: str = ".") -> float | None:
    """Parse a percentage, `12.5%` or `12.5`; None if it is none."""
    found = _compiled(percent_pattern(decimal)).fullmatch(text)
    return float(found[1].replace(",", ".")) if found else None


def parse_money(text: str, decimal: str = ".") -> float | None:
    """Parse an amount of money, `$1,200.50` or `-3 EUR` or a plain number; None if it is none."""
    plain = parse_number(text, decimal)
    if not isinstance(plain, str):
        try:
            return float(plain)
        except OverflowError:
            return float("inf")
    if not _compiled(money_pattern(decimal)).fullmatch(text):
        return None
    amount = float(re.sub(f"[^0-9{decimal}]", "", text).replace(",", ".") or 0)
    return -amount if "-" in text or "(" in text else amount
