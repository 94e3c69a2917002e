"""How the texts of a column's values look: the patterns, and the kinds that they stand for.

The patterns mean the same in Python and Java. A number's decimal mark is a parameter of the file.
"""

from dataclasses import dataclass
from functools import cache

from common.data.reading import MOMENT, NUMBER

# Kinds of a value beside the types of columns in `reading`: a whole number written 39.0, digits after a
# leading zero, digits beyond 64 bits, a number with thousands separators, and a text of two capitals.
WHOLE, ZEROS, LONG, GROUPED, CODE = "whole", "zeros", "long", "grouped", "code"

# What people and programs write for a missing value. SAFE, the spellings of spreadsheets, R, pandas, SQL
# and UCI, are markers in any column. The others are also words and signs that texts use with a meaning
# (None for "no fence", - for "negative"), so they are markers only where every other value of the column
# is a number or a date.
SAFE = (
    *("?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT", "NULL", "null", "(null)", r"\N"),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!", "#NV"),
)
# What is divided by zero is infinite to pandas and R, and #DIV/0! to a spreadsheet.
INFINITE = ("inf", "-inf", "Inf", "-Inf", "Infinity", "-Infinity")
DOUBTFUL = (
    *("None", "none", "NONE", "Null", "n.a.", "N.A.", "-", "--", "\u2013", "\u2014", ".", "missing"),
    *("(blank)", "(empty)", *INFINITE),
)
MARKERS = (*SAFE, *DOUBTFUL)
# Namibia, North America: no marker among texts that are mostly two capital letters.
LETTERS = "NA"

PAIRS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))
WORDS = tuple(word for pair in PAIRS for word in pair)

SIGNS = "[$€£¥₹]"
# Any three capitals would take product codes such as ABC123 for money.
CODES = (
    "(?:USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|ISK|PLN|CZK|HUF|BGN|UAH|RUB|BRL|MXN|ARS|CLP"
    "|ZAR|EGP|NGN|KES|TRY|ILS|AED|SAR|QAR|KWD|PKR|KRW|TWD|SGD|HKD|THB|MYR|IDR|VND)"
)
UNIT = f"(?:{SIGNS}|{CODES})"
SPACE = "[ \u00a0\u202f]"


@dataclass(frozen=True)
class Patterns:
    """Regular expressions of whole values, for one decimal mark.

    Attributes:
        start: What every value that is not a text begins with.
    """

    start: str
    integer: str
    zeros: str
    number: str
    whole: str
    grouped: str
    percent: str
    currency: str
    date: str
    timestamp: str
    code: str


@cache
def patterns(decimal: str) -> Patterns:
    """Return the patterns of values in a file with this decimal mark."""
    mark, other = (",", r"\.") if decimal == "," else (r"\.", ",")
    number = NUMBER if decimal == "." else NUMBER.replace(r"\.", ",")
    # A space separates thousands where a comma is the decimal mark; elsewhere 555 123 is a telephone's.
    any_group = f"(?:{other}|['\u2019]|{SPACE})"
    grouped = _grouped(any_group if decimal == "," else f"(?:{other}|['\u2019])", mark)
    digits = rf"(?:{_grouped(any_group, mark)}|[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)"
    one_sided = rf"(?:{UNIT}{SPACE}?[+-]?{digits}|[+-]?{digits}{SPACE}?{UNIT})"
    # As SAP writes what is owed; without decimals it may be a grade.
    behind = rf"(?:{UNIT}{SPACE}?)?(?:{_groups(any_group, mark)}|[0-9]*){mark}[0-9]+-(?:{SPACE}?{UNIT})?"
    # As spreadsheets write what is owed, or nothing at all.
    owed = rf"(?:{UNIT}{SPACE}?)?\({digits}\)|\({digits}\){SPACE}?{UNIT}"
    zero = rf"{SIGNS}{SPACE}*-|-{SPACE}*{SIGNS}"
    date = r"(?!0000)[0-9]{4}([-/])[0-9]{2}\1[0-9]{2}"
    return Patterns(
        start=rf"(?:[-+.,(0-9]|{UNIT})",
        integer=r"[+-]?(?:0|[1-9][0-9]*)",
        zeros=r"[+-]?0[0-9]+",
        number=number,
        whole=rf"[+-]?[0-9]+{mark}0*",
        grouped=rf"[+-]?{grouped}",
        percent=rf"{number}{SPACE}?%",
        currency=rf"{one_sided}|[+-]{UNIT}{SPACE}?{digits}|\({one_sided}\)|{owed}|{behind}|{zero}",
        date=date,
        # What the readers accept, hence a date too.
        timestamp=MOMENT,
        code=r"[A-Z]{2}",
    )


def _grouped(group: str, mark: str) -> str:
    """Return the pattern of digits in groups of three, or as in India, and of what is behind them."""
    return rf"{_groups(group, mark)}(?:{mark}[0-9]+)?"


def _groups(group: str, mark: str) -> str:
    threes = rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+"
    indian = r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
    return threes if mark == "," else f"(?:{threes}|{indian})"
