"""The spec of a data set: its columns, what is predicted, and how its files are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import types as T

from common.data.reading import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
    Form,
)
from common.data.target import BINARY, Target

TYPES: dict[str, type[T.DataType]] = {
    INTEGER: T.LongType,
    DOUBLE: T.DoubleType,
    PERCENT: T.DoubleType,
    CURRENCY: T.DoubleType,
    BOOLEAN: T.StringType,
    DATE: T.DateType,
    TIMESTAMP: T.TimestampType,
    TEXT: T.StringType,
}
NUMERIC, CATEGORY, LABEL_ROLE, WEIGHT, IGNORED = "numeric", "category", "label", "weight", "ignored"
ROLES = (NUMERIC, CATEGORY, LABEL_ROLE, WEIGHT, IGNORED)

# Categories of a column that get a feature each, unless the spec says otherwise.
MAX_CATEGORIES = 100


@dataclass(frozen=True)
class Column:
    """One column of a data set.

    Attributes:
        name: Its name; that in the file, unless the spec renames it.
        type: The type enforced on reading, one of TYPES.
        role: `numeric`, `category`, `label`, `weight` or `ignored`.
        missing: Share of the rows that have no value, 0 to 1.
        why: The reason for its type and role, if they were inferred.
        unit: Of amounts, their currency, if it is known: records in another are refused.
    """

    name: str
    type: str
    role: str
    missing: float = 0.0
    why: str = ""
    unit: str = ""


@dataclass(frozen=True)
class DatasetSpec:
    """A data set.

    Attributes:
        name: Name of the data set.
        columns: The columns, in the file's order.
        label: Name of the column to predict.
        labels: The label's values; a value's position is its index. Empty if a number is predicted.
        positive: The label whose probability is reported; always the second of two. Empty if there are
            not two.
        strata: Names of the columns whose proportions a split preserves by default; a label that is a
            number counts by its quantile.
        task: `binary`, `multiclass` or `regression`.
        home: URL of the file; None if the data set has no home.
        sha256: Checksum of the file at home.
        sample: File beside the YAML with the table of counts of the built-in synthetic sample; None if
            there is no sample.
        separator: The character that separates the fields of a line.
        missing: The texts that mark a missing value, beside an empty field.
        encoding: Python's name of the file's encoding: UTF-8 or a single-byte encoding.
        decimal: The decimal mark of numbers in CSV: a point or a comma.
        rename: The name of a column here, by its name in the file.
        max_categories: The number of a column's categories that get an index of their own; all others
            share one.
        leave_out: Labels whose rows are left out, as those without a label are.
    """

    name: str
    columns: tuple[Column, ...]
    label: str
    labels: tuple[str, ...]
    positive: str
    strata: tuple[str, ...]
    task: str = BINARY
    home: str | None = None
    sha256: str | None = None
    sample: str | None = None
    separator: str = ","
    missing: tuple[str, ...] = ("?",)
    encoding: str = "utf-8"
    decimal: str = "."
    rename: Mapping[str, str] = field(default_factory=dict)
    max_categories: int = MAX_CATEGORIES
    leave_out: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of all columns, in order."""
        return [column.name for column in self.columns]

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Target(self.task, self.labels)

    def of_role(self, role: str) -> list[Column]:
        """Return the columns with a role, in order."""
        return [column for column in self.columns if column.role == role]

    def names_of(self, role: str) -> list[str]:
        """Return the names of the columns with a role, in order."""
        return [column.name for column in self.of_role(role)]

    @property
    def weight(self) -> str | None:
        """Name of the column with the rows' weights; None if there is none."""
        return next(iter(self.names_of(WEIGHT)), None)

    @property
    def inputs(self) -> list[Column]:
        """The inputs of a model: the columns with the role numeric or category."""
        return [column for column in self.columns if column.role in (NUMERIC, CATEGORY)]

    @property
    def learnt(self) -> list[str]:
        """Names of the columns that a model learns from: its inputs and the label."""
        return [*(column.name for column in self.inputs), self.label]

    @property
    def form(self) -> Form:
        """The form of the data set's own records: all columns; every value may be missing."""
        kinds = {column.name: column.type for column in self.columns}
        return self._form(kinds, frozenset(self.names))

    @property
    def input_form(self) -> Form:
        """The form of a model's input: its inputs only.

        A value may be missing where some were missing in the data set, or if it is a category.
        """
        kinds = {column.name: column.type for column in self.inputs}
        lacking = [c.name for c in self.inputs if c.missing > 0 or c.role == CATEGORY]
        return self._form(kinds, frozenset(lacking))

    def _form(self, kinds: Mapping[str, str], optional: frozenset[str]) -> Form:
        return Form(
            columns=kinds,
            optional=optional,
            layout=tuple(self.names),
            label=self.label,
            separator=self.separator,
            missing=self.missing,
            encoding=self.encoding,
            decimal=self.decimal,
            renamed={own: given for given, own in self.rename.items()},
            units={column.name: column.unit for column in self.columns if column.unit},
        )

    @property
    def schema(self) -> T.StructType:
        """The Spark schema of the rows that were read."""
        return T.StructType([T.StructField(c.name, TYPES[c.type]()) for c in self.columns])


def is_number(type: str) -> bool:
    """Return whether values of this type are numbers."""
    return TYPES[type] in (T.LongType, T.DoubleType)


def default_role(type: str) -> str:
    """Return the role that a column of this type has unless something speaks against it."""
    return CATEGORY if TYPES[type] is TYPES[TEXT] else NUMERIC
