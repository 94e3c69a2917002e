"""Find rows that a split kept in the file that they come from, however their values were read."""

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

# A share or an amount of money, which is kept as its number.
SIGNED = re.compile(r"[$€] ?[\d,]+(\.\d+)?|[\d,]+(\.\d+)? ?[%€]")
BOOLEANS = dict.fromkeys(("yes", "y", "t", "1"), "true") | dict.fromkeys(("no", "n", "f", "0"), "false")
MISSING = {"", "?", "na", "n/a", "nan", "nat", "none", "null", "<na>"}


def places_of(kept: pd.DataFrame, cells: pd.DataFrame) -> np.ndarray:
    """Return the position in a file of each row that was kept of it.

    Rows are compared by the columns of the same name whose kept values all occur in the file; other
    columns were read as something else. Each row of the file is given once.

    Args:
        kept: The rows that were kept.
        cells: The cells of the file.

    Raises:
        ValueError: A row is not in the file, or rows that differ cannot be told apart.
    """
    theirs = {name: cells[name].map(canonical) for name in kept.columns if name in cells.columns}
    ours = {name: kept[name].map(canonical) for name in theirs}
    for name, column in ours.items():
        # A boolean is kept as true or false, whatever its words in the file.
        if set(column) <= {"true", "false", ""}:
            theirs[name] = theirs[name].map(lambda text: BOOLEANS.get(text.lower(), text))
    names = [name for name in theirs if set(ours[name]) <= set(theirs[name])]
    whole = cells.astype(str).agg("\0".join, axis=1).tolist()
    there: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(*(theirs[name] for name in names), strict=True)):
        there[key].append(place)
    found = []
    for key in zip(*(ours[name] for name in names), strict=True):
        if not there[key]:
            raise ValueError(f"the kept row {key} is not in the file")
        if len({whole[place] for place in there[key]}) > 1:
            raise ValueError(f"several rows of the file are like {key} in the columns {names}")
        found.append(there[key].pop())
    return np.array(found)


def canonical(value: Any) -> str:
    """Return a text that is the same for a value in a file and for the value that was read from it."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, int | float | Decimal | np.number):
        return "" if pd.isna(value) else f"{float(value):.9g}"
    if value is None or value is pd.NaT or isinstance(value, date):
        return "" if pd.isna(value) else _moment(value)
    text = str(value).strip().replace("\r\n", "\n")
    if text.lower() in MISSING:
        return ""
    plain = text.replace(",", "") if SIGNED.fullmatch(text) else text
    for read in (lambda: f"{float(plain.strip('$€% ')):.9g}", lambda: _moment(text)):
        try:
            return read()
        except ValueError:
            continue
    return text.lower() if text.lower() in ("true", "false") else text


def _moment(value: Any) -> str:
    if isinstance(value, str) and not value[:4].isdigit():
        raise ValueError(f"{value!r} does not begin with a year")
    moment = pd.Timestamp(value)
    return (moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment).isoformat()
