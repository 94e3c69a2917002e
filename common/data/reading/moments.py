"""Dates and timestamps, as microseconds since 1970 in UTC; the years are 1 to 9999."""

import contextlib
import datetime
import re
from typing import Any

import numpy as np
import pandas as pd

from .kinds import shown

# ISO 8601, also with slashes or a blank. The groups: the day; its separator; the time of day, to the
# microsecond; the zone. Digits beyond the microsecond are dropped. Java reads the pattern as well.
MOMENT = (
    r"((?!0000)[0-9]{4}([-/])[0-9]{2}\2[0-9]{2})"
    r"(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)(?:(?<=\.[0-9]{6})[0-9]+)?"
    r"(?: ?(Z|UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?)?"
)
_MOMENT = re.compile(MOMENT)
EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)
DAY, MINUTE = 86_400_000_000, 60_000_000
# The first and the last microsecond of the years 1 to 9999.
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
MICROSECONDS = "datetime64[us]"


def parse_moment(text: str) -> int | None:
    """Parse a date or timestamp; without a zone it is in UTC. None if it is none."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    day, _, clock, zone = found.groups()
    try:
        local = datetime.datetime.fromisoformat(f"{day.replace('/', '-')}T{clock or '00:00'}")
    except ValueError:
        return None
    return _in_years((local - EPOCH) // MICROSECOND - _offset(zone))


def _offset(zone: str | None) -> int:
    if not zone or zone in ("Z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if zone[0] == "-" else minutes) * MINUTE


def moment_of(value: Any) -> int | None:
    """Return the microseconds of a date or time of Python, NumPy or pandas; None if it is none."""
    if isinstance(value, pd.Timestamp):
        value = (value.tz_convert("UTC").tz_localize(None) if value.tzinfo else value).to_datetime64()
    if isinstance(value, np.datetime64):
        micros = moments_of(np.array([value]))
        return None if micros is None else int(micros[0])
    if isinstance(value, datetime.datetime):
        offset = value.utcoffset() or datetime.timedelta()
        return _in_years((value.replace(tzinfo=None) - EPOCH - offset) // MICROSECOND)
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days * DAY
    return None


def moments_of(values: np.ndarray) -> np.ndarray | None:
    """Return the microseconds of an array of NumPy's times, the smallest integer where one is missing.

    Returns:
        64-bit integers; None if a time is outside the years 1 to 9999.
    """
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970
    within = np.isnat(values) | ((years >= 1) & (years <= 9999))
    return values.astype(MICROSECONDS).view(np.int64) if within.all() else None


def shown_moment(value: Any) -> str:
    """Format a value for a message, dates and times as their text in UTC."""
    if isinstance(value, np.datetime64):
        return shown(str(value).replace("T", " "))
    if isinstance(value, datetime.datetime):
        # In UTC, the first and last hours of Python's years may be outside them.
        with contextlib.suppress(OverflowError):
            value = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
        return shown(value.isoformat(" "))
    return shown(value.isoformat()) if isinstance(value, datetime.date) else shown(value)


def _in_years(micros: int) -> int | None:
    return micros if FIRST <= micros <= LAST else None
