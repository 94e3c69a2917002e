"""Dates and timestamps by the rules of `common/data/reading/moments`, as Spark column expressions."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.data.reading import FIRST, LAST, MINUTE, MOMENT

WHOLE = rf"\A{MOMENT}\z"


def is_moment(text: Column) -> Column:
    """Return whether a text is a date or timestamp of the years 1 to 9999."""
    return F.coalesce(_micros(text).between(FIRST, LAST), F.lit(False))


def _micros(text: Column) -> Column:
    """Return the microseconds since 1970 of a text in UTC; null if it is no date or timestamp."""
    moment = F.when(text.rlike(WHOLE), text)
    day, clock, zone = (F.regexp_extract(moment, WHOLE, group) for group in (1, 3, 4))
    seconds = F.when(clock == "", "00:00:00").when(F.length(clock) == 5, F.concat(clock, F.lit(":00")))
    local = F.concat(F.translate(day, "/", "-"), F.lit(" "), F.coalesce(seconds, clock), F.lit("Z"))
    micros = F.unix_micros(local.try_cast("timestamp"))
    return micros - F.when(zone.isin("", "Z", "UTC"), F.lit(0)).otherwise(_offset(zone))


def _offset(zone: Column) -> Column:
    digits = F.rpad(F.translate(F.substr(zone, F.lit(2)), ":", ""), 4, "0")
    hours, minutes = digits.substr(1, 2).try_cast("bigint"), digits.substr(3, 2).try_cast("bigint")
    offset = (hours * 60 + minutes) * MINUTE
    return F.when(zone.startswith("-"), -offset).otherwise(offset)
