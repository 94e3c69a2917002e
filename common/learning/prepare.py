"""The first stage of a pipeline: a record's columns as numbers and texts under names of our own.

Spark's stages accept neither dots in names nor nulls, and know no dates. One SQLTransformer (Spark's
class) gives them what they take; everything after it sees only columns that this module names.
"""

from dataclasses import dataclass

from pyspark.ml.feature import SQLTransformer

from common.data.reading import DATE, TIMESTAMP
from common.data.row_hash import quoted_name
from common.data.spec import CATEGORY, NUMERIC, Column, DatasetSpec

IMPUTE, NATIVE = "impute", "native"
MISSING = (IMPUTE, NATIVE)

# The parts of a date that become numbers, and their SQL; `days` since 1970, which the scaler then counts
# from the first day of the training rows.
YEAR, MONTH, DAY, WEEKDAY, HOUR, DAYS = "year", "month", "day", "weekday", "hour", "days"
PARTS = {
    YEAR: "year({0})",
    MONTH: "month({0})",
    DAY: "day({0})",
    WEEKDAY: "weekday({0})",
    HOUR: "hour({0})",
    DAYS: "unix_date(CAST({0} AS DATE))",
}
# The category of a missing text, and of an empty one: Spark's attributes accept no empty name.
MISSING_TEXT = "(missing)"
# Number features that are no part of a date: the number itself, and whether it is missing.
ITSELF, IS_MISSING = "", "missing"


@dataclass(frozen=True)
class Number:
    """A number that is derived from a column of a record.

    Attributes:
        column: The column.
        part: ITSELF, IS_MISSING or a part of a date.
        filled: Whether missing values are replaced by the median of the training rows.
    """

    column: Column
    part: str
    filled: bool

    @property
    def name(self) -> str:
        """Name of the feature, such as `age`, `age missing` or `signup weekday`."""
        return f"{self.column.name} {self.part}".rstrip()

    @property
    def sql(self) -> str:
        """The number as an expression of Spark SQL, a double."""
        if self.part == IS_MISSING:
            return f"CAST({quoted_name(self.column.name)} IS NULL AS DOUBLE)"
        value = PARTS[self.part] if self.part else "{0}"
        return f"CAST({value.format(quoted_name(self.column.name))} AS DOUBLE)"


def numbers_of(spec: DatasetSpec, missing: str) -> list[Number]:
    """Return the numbers of a data set's records, in the order in which they become features.

    Args:
        spec: The data set.
        missing: IMPUTE (a column that may lack values gets a feature that says so, and its median) or
            NATIVE (missing values stay missing).
    """
    found = []
    for column in spec.of_role(NUMERIC):
        lacking = column.missing > 0 and missing == IMPUTE
        parts = [ITSELF]
        if column.type in (DATE, TIMESTAMP):
            parts = [part for part in PARTS if part != HOUR or column.type == TIMESTAMP]
        found += [Number(column, part, lacking) for part in parts]
        found += [Number(column, IS_MISSING, False)] if lacking else []
    return found


def number_column(place: int) -> str:
    """Return the name that the number at this place has in a pipeline."""
    return f"__number{place}"


def category_column(place: int) -> str:
    """Return the name that the category column at this place has in a pipeline."""
    return f"__text{place}"


def prepare(spec: DatasetSpec, missing: str) -> SQLTransformer:
    """Return the stage that adds the numbers, and the categories as texts, a missing one too."""
    parts = [f"{n.sql} AS {number_column(place)}" for place, n in enumerate(numbers_of(spec, missing))]
    for place, column in enumerate(spec.of_role(CATEGORY)):
        text = f"coalesce(nullif(CAST({quoted_name(column.name)} AS STRING), ''), '{MISSING_TEXT}')"
        parts.append(f"{text} AS {category_column(place)}")
    return SQLTransformer(statement=f"SELECT *, {', '.join(parts)} FROM __THIS__")
