"""The type and the role of a column, from what was counted of it."""

import re
from collections import Counter
from dataclasses import dataclass, replace

from common.data.infer.facts import CODES, TEXTS, Facts
from common.data.infer.patterns import GROUPED, LONG, PAIRS, WHOLE, ZEROS
from common.data.reading import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    MOMENT,
    PERCENT,
    TEXT,
    TIMESTAMP,
)
from common.data.shares import percent
from common.data.spec import CATEGORY, IGNORED, NUMERIC

PLAIN = frozenset({INTEGER, WHOLE, DOUBLE})
AMOUNTS = PLAIN | {CURRENCY, GROUPED}
# A type, the kinds that all its values have, and the word for them; the first that fits is taken.
FITTING = (
    (INTEGER, frozenset({INTEGER}), "whole numbers"),
    (DOUBLE, PLAIN, "numbers"),
    (PERCENT, frozenset({PERCENT}), "percentages"),
    (CURRENCY, frozenset({CURRENCY, GROUPED}), "amounts"),
    (CURRENCY, PLAIN | {GROUPED}, "numbers with thousands separators"),
    (CURRENCY, AMOUNTS, "amounts and numbers"),
    (DATE, frozenset({DATE}), "dates"),
    (TIMESTAMP, frozenset({TIMESTAMP}), "times"),
    (TIMESTAMP, frozenset({DATE, TIMESTAMP}), "times and dates"),
)

# Share of the values that are distinct, from which a text says who, not what.
UNIQUE = 0.95
# Texts of so many words or characters on average are sentences, if at least this share is distinct.
SENTENCE, PARAGRAPH, VARIED = 3.0, 100.0, 0.5
# Share of the values that are not text, from which the texts may be mistakes or mark missing values.
MOSTLY = 0.5
MUCH = 0.5
# A number that may be a code is so many times as large as all others.
APART = 4
# Of fewer numbers, all may be among the test rows, and none is left to learn from.
LEAST_NUMBERS = 10

# A date that is not written as the readers know it: which of two numbers is the month, they cannot tell.
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
# Of a day or a month. A time is no date, though some write 18.00.00.
PART = "(?:0?[1-9]|[12][0-9]|3[01])"
ODD_DATE = re.compile(
    rf"(?:{PART}([./-]){PART}\1(?:[0-9]{{4}}|[0-9]{{2}})|[0-9]{{4}}([./-]){PART}\2{PART}"
    rf"|[0-9]{{1,2}}[ -]{MONTH}[ -](?:[0-9]{{4}}|[0-9]{{2}})|{MONTH} [0-9]{{1,2}},? [0-9]{{4}})"
    r"(?:,?[ T][0-9]{1,2}:[0-9:.]{2,15}(?: ?[AaPp][Mm])?(?: ?[A-Z]{3,4})?)?"
)
KNOWN_DATE = re.compile(MOMENT)
# A number with the decimal mark that those of the file do not have.
ODD_MARK = re.compile(r"[+-]?[0-9]+[.,][0-9]+")
ID = re.compile(r"(?:\A|[^A-Za-z])(?:id|ID|Id)\Z|[a-z](?:Id|ID)\Z")
INDICES = ("", "index", "unnamed: 0", "__index_level_0__", "rowid", "row_id", "rownames", "row_number")


@dataclass(frozen=True)
class Decision:
    """The type and the role of a column, and the reason for them in a few words."""

    type: str
    role: str
    why: str


def decide(facts: Facts) -> Decision:
    """Decide the type and the role of a column that is not the label.

    Args:
        facts: Its counts, where markers of missing values count as missing.
    """
    type, what = value_type(facts)
    facts = as_read(facts, type)
    role, why = _role(facts, type, what)
    if type == TEXT and _is_odd_date(facts.example or ""):
        why += f"; dates are read as 2024-12-31, not {facts.example}"
    if type == TEXT and not facts.is_typed and ODD_MARK.fullmatch(facts.example or ""):
        why += f"; {facts.example} is no number by the file's decimal mark"
    if type in (INTEGER, DOUBLE) and role == NUMERIC:
        why += _code(facts)
    if facts.given and facts.missing >= MUCH:
        why += f"; {percent(facts.missing)} missing"
    return Decision(type, role, why)


def value_type(facts: Facts) -> tuple[str, str]:
    """Return the type that all values of a column have, and a word for them."""
    kinds = facts.kinds.keys()
    if len(facts.units) > 1:
        # 100 USD and 100 JPY are not the same number.
        return TEXT, f"amounts in several currencies ({', '.join(sorted(facts.units))})"
    for type, fitting, what in FITTING:
        if kinds and kinds <= fitting:
            return type, " in ".join([what, *facts.units])
    if kinds == {BOOLEAN} and facts.values is not None:
        words = {word.lower() for word in facts.values}
        if any(words <= set(pair) for pair in PAIRS):
            return BOOLEAN, "yes or no"
    if kinds <= PLAIN | {LONG} and DOUBLE in kinds:
        # Identifiers of so many digits have no fractions beside them.
        return DOUBLE, "numbers"
    if kinds <= {INTEGER, ZEROS} and ZEROS in kinds:
        return TEXT, "digits with leading zeros"
    if kinds <= {INTEGER, ZEROS, LONG} and LONG in kinds:
        return TEXT, "digits beyond 64 bits"
    return TEXT, "text"


def as_read(facts: Facts, type: str) -> Facts:
    """Return the facts of a column of this type, where Yes and YES are one value if it is boolean."""
    if type != BOOLEAN or facts.values is None:
        return facts
    values = Counter[str]()
    for word, rows in facts.values.items():
        values[word.lower()] += rows
    return replace(facts, values=values)


def _is_odd_date(text: str) -> bool:
    """Whether a text is a date that is written otherwise; 2023-02-30 is none that there is."""
    return bool(ODD_DATE.fullmatch(text)) and not KNOWN_DATE.fullmatch(text)


def is_named_id(name: str) -> bool:
    """Return whether a name says that the column tells rows apart."""
    return bool(ID.search(name)) or name.lower() in INDICES


def _role(facts: Facts, type: str, what: str) -> tuple[str, str]:
    if not facts.given:
        return IGNORED, "no values"
    if facts.distinct == 1 and facts.given == facts.rows:
        return IGNORED, "constant"
    if type in (TEXT, BOOLEAN):
        return _text_role(facts, what)
    if type == INTEGER and facts.is_unique:
        if counts := _counts(facts):
            return IGNORED, f"counts {counts}: an index"
        if is_named_id(facts.name):
            return IGNORED, "unique whole numbers: an identifier by its name"
    if facts.given < LEAST_NUMBERS and facts.missing >= MUCH:
        return IGNORED, f"{what}, too few to learn from: {facts.given:,} of {facts.rows:,} rows have one"
    return NUMERIC, f"{what}, all the same" if facts.distinct == 1 else what


def _counts(facts: Facts) -> str:
    """Return how unique whole numbers count the rows, from 0 or from 1; empty if they do not."""
    if facts.least not in (0, 1) or facts.most is None or facts.given < facts.rows:
        return ""
    return f"{facts.least:.0f} to {facts.most:.0f}" if facts.most - facts.least + 1 == facts.given else ""


def _code(facts: Facts) -> str:
    """Say which number may mean that there is none: the only negative one, or one far above."""
    if facts.between is None:
        return ""
    least, most = facts.between
    codes = [facts.least] if facts.least in CODES and facts.least < 0 <= least else []
    codes += [facts.most] if facts.most in CODES and facts.most >= APART * max(most, 1) else []
    if not codes:
        return ""
    said = " and ".join(f"{code:.0f}" for code in codes)
    return (
        f"; {said} beside {least:.15g} to {most:.15g}: list it under missing, as the file has it, if it "
        "means that"
    )


def _text_role(facts: Facts, what: str) -> tuple[str, str]:
    share = facts.distinct / facts.given
    is_long = facts.words >= SENTENCE or facts.length >= PARAGRAPH
    if facts.distinct > 2 and is_long and share >= VARIED:
        return IGNORED, f"free text: {facts.words:.1f} words on average"
    mistakes = _mistakes(facts)
    if mistakes and facts.distinct > 2 and share >= UNIQUE:
        return IGNORED, f"{what}, almost each of its own{mistakes}"
    if facts.distinct > 2 and share >= UNIQUE:
        how = "unique" if facts.is_unique else "almost unique"
        return IGNORED, f"{how} {what}: an identifier"
    if facts.distinct > 2 and is_named_id(facts.name) and facts.is_unique:
        return IGNORED, f"unique {what}: an identifier"
    about = "" if facts.values is not None else "about "
    count = f"{about}{facts.distinct:,} value{'s' if facts.distinct > 1 else ''}"
    return CATEGORY, f"{what}, {count}{mistakes}"


def _mistakes(facts: Facts) -> str:
    """Say which text stands among numbers or dates, if few do."""
    texts = sum(facts.kinds.get(kind, 0) for kind in TEXTS)
    if facts.is_typed or not 0 < texts <= (1 - MOSTLY) * facts.given:
        return ""
    are = "is no number or date, namely" if texts == 1 else "are no numbers or dates, such as"
    return (
        f": {texts:,} of {facts.given:,} {are} {facts.example!r} (to read the others as such, list what "
        "means a missing value under missing)"
    )
