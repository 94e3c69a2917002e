"""The parts of a date as integer arithmetic in a graph, as Spark computes them in UTC."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.learning.prepare import DAY, DAYS, HOUR, MONTH, WEEKDAY, YEAR
from common.scoring.graph import Graph

A_DAY, AN_HOUR = 86_400_000_000, 3_600_000_000
# Days from the 1st of March of the year 0, when a cycle of 400 years begins, to 1970. No date is earlier,
# so no dividend is negative, which ONNX and Spark would round to different sides.
TO_1970 = 719_468


@dataclass(frozen=True)
class Whole:
    """A column of whole numbers in a graph, none of them negative."""

    graph: Graph
    value: str

    def __add__(self, other: "Whole | int") -> "Whole":
        return self._with("Add", other)

    def __sub__(self, other: "Whole | int") -> "Whole":
        return self._with("Sub", other)

    def __mul__(self, other: "Whole | int") -> "Whole":
        return self._with("Mul", other)

    def __floordiv__(self, other: "Whole | int") -> "Whole":
        return self._with("Div", other)

    def __mod__(self, other: "Whole | int") -> "Whole":
        return self._with("Mod", other)

    def _with(self, operator: str, other: "Whole | int") -> "Whole":
        second = self.graph.constant(np.array(other)) if isinstance(other, int) else other.value
        return Whole(self.graph, self.graph.node(operator, self.value, second))


def date_part(graph: Graph, micros: str, part: str) -> str:
    """Add a part of dates, and return the name of the result (int64).

    Args:
        graph: The graph to extend.
        micros: Name of the dates: microseconds since 1970 in UTC, in the years 1 to 9999.
        part: The part, one of `prepare.PARTS`.
    """
    since = Whole(graph, micros) + TO_1970 * A_DAY
    days = since // A_DAY
    return PARTS[part](since, days).value


def _civil(days: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the year, month (1 to 12) and day of a number of days since the 1st of March of the year 0.

    Years that begin in March end with the leap day, so the months before it always have the same
    lengths. Source: https://howardhinnant.github.io/date_algorithms.html#civil_from_days
    """
    cycle = days // 146_097
    of_cycle = days - cycle * 146_097
    year = (of_cycle - of_cycle // 1460 + of_cycle // 36_524 - of_cycle // 146_096) // 365
    of_year = of_cycle - (year * 365 + year // 4 - year // 100)
    month = (of_year * 5 + 2) // 153
    day = of_year - (month * 153 + 2) // 5 + 1
    # March is month 0 of such a year; its months 10 and 11 belong to the next of ours.
    after = month // 10
    return year + cycle * 400 + after, month + 3 - after * 12, day


PARTS: dict[str, Callable[[Whole, Whole], Whole]] = {
    YEAR: lambda _, days: _civil(days)[0],
    MONTH: lambda _, days: _civil(days)[1],
    DAY: lambda _, days: _civil(days)[2],
    # 1970 began on a Thursday, which is 3.
    WEEKDAY: lambda _, days: (days + (3 - TO_1970) % 7) % 7,
    HOUR: lambda since, days: (since - days * A_DAY) // AN_HOUR,
    DAYS: lambda _, days: days - TO_1970,
}
