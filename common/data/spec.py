"""The spec of a data set: its columns, its label and where it comes from, read from YAML."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import types as T

from common import ROOT
from common.data.reading import (
    DOUBLE,
    INTEGER,
    TEXT,
    Form,
    Unreadable,
    check_encoding,
    plain_text,
)
from common.errors import UserError, first_line

CONF = ROOT / "conf" / "datasets"

TYPES: dict[str, type[T.DataType]] = {
    INTEGER: T.LongType,
    DOUBLE: T.DoubleType,
    TEXT: T.StringType,
}
ROLES = ("numeric", "category", "label", "ignored")

# Columns that the steps add to the data set's own; in lower case, since Spark ignores case.
RESERVED = (
    *("features", "label", "fold_rank", "fold", "numbers", "numbers_scaled"),
    *("prediction", "prediction_index", "probability", "rawprediction"),
)


@dataclass(frozen=True)
class Column:
    """One column: its name in the file, the type enforced on reading, and its role."""

    name: str
    type: str
    role: str


@dataclass(frozen=True)
class DatasetSpec:
    """A data set, as described by `conf/datasets/<name>.yaml`.

    Attributes:
        name: Name of the data set.
        columns: The columns, in the file's order.
        label: Name of the column to predict.
        labels: The two values of the label; a value's position is its index, 0 or 1.
        positive: The label whose probability is reported; always the second.
        strata: Names of the columns whose proportions a split preserves by default.
        home: URL of the file; None if the data set has no home.
        sha256: Checksum of the file at home.
        sample: File beside the YAML with the table of counts of the built-in synthetic sample; None if
            there is no sample.
        separator: The character that separates the fields of a line.
        missing: The text that marks a missing value.
        encoding: Python's name of the file's encoding: UTF-8 or a single-byte encoding.
    """

    name: str
    columns: tuple[Column, ...]
    label: str
    labels: tuple[str, str]
    positive: str
    strata: tuple[str, ...]
    home: str | None = None
    sha256: str | None = None
    sample: str | None = None
    separator: str = ","
    missing: str = "?"
    encoding: str = "utf-8"

    @property
    def names(self) -> list[str]:
        """The names of all columns, in order."""
        return [column.name for column in self.columns]

    def names_of(self, role: str) -> list[str]:
        """Return the names of the columns with a role, in order."""
        return [column.name for column in self.columns if column.role == role]

    @property
    def inputs(self) -> list[Column]:
        """The inputs of a model: all columns except the label and ignored columns."""
        return [column for column in self.columns if column.role not in ("label", "ignored")]

    @property
    def form(self) -> Form:
        """The form of the data set's own records: all columns; all except the label may be null."""
        kinds = {column.name: column.type for column in self.columns}
        return self._form(kinds, frozenset(self.names) - {self.label})

    @property
    def input_form(self) -> Form:
        """The form of a model's input: its inputs only; a number may be missing if it is a category."""
        kinds = {column.name: column.type for column in self.inputs}
        return self._form(kinds, frozenset(self.names_of("category")))

    def _form(self, kinds: Mapping[str, str], optional: frozenset[str]) -> Form:
        layout = tuple(self.names)
        return Form(kinds, optional, layout, self.label, self.separator, self.missing, self.encoding)

    @property
    def schema(self) -> T.StructType:
        """The Spark schema of the rows that were read."""
        return T.StructType([T.StructField(c.name, TYPES[c.type]()) for c in self.columns])

    def to_yaml(self) -> str:
        """Return the spec as YAML that `parse_spec` can read."""
        content = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) is not None
        }
        content["columns"] = [vars(column).copy() for column in self.columns]
        content |= {key: list(content[key]) for key in ("labels", "strata")}
        return yaml.safe_dump(content, sort_keys=False)


def load_spec(dataset: str) -> DatasetSpec:
    """Read the spec of a data set.

    Args:
        dataset: A name under conf/datasets, or the path of a YAML file.

    Raises:
        UserError: The data set does not exist, or its spec is invalid.
    """
    path = Path(dataset) if dataset.endswith((".yaml", ".yml")) else CONF / f"{dataset}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in CONF.glob("*.yaml")))
        raise UserError(
            f"dataset {dataset!r} is unknown: give one of {known}, or the path of a YAML file"
        )
    return parse_spec(path.read_text(encoding="utf-8"), str(dataset))


def parse_spec(text: str, origin: str) -> DatasetSpec:
    """Parse a spec from YAML text.

    Args:
        text: The YAML.
        origin: The data set's name in error messages.

    Raises:
        UserError: A key is unknown or missing, or has an invalid value.
    """
    try:
        # The base loader keeps text as written: YAML reads No as false, 010 as 8, 1:30 as 90 and
        # 2024-01-01 as a date.
        content = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise UserError(f"dataset {origin!r} is not YAML: {first_line(error)}") from None
    known = {field.name for field in fields(DatasetSpec)}
    required = {field.name for field in fields(DatasetSpec) if field.default is MISSING}
    _check_keys(content, known, required, f"dataset {origin!r}")
    columns = _parse_columns(content["columns"], origin)
    lists = {}
    for key in ("labels", "strata"):
        if not isinstance(content[key], list):
            raise UserError(f"{key} of dataset {origin!r} must be a list, got {content[key]!r}")
        lists[key] = tuple(_text(value, key, origin) for value in content[key])
    texts = {key: _text(content[key], key, origin) for key in content.keys() - {"columns", *lists}}
    # The same normalisation as for the labels of records.
    lists["labels"] = tuple(plain_text(label) for label in lists["labels"])
    texts["positive"] = plain_text(texts["positive"])
    spec = DatasetSpec(columns=columns, **lists, **texts)  # type: ignore[arg-type]
    _check_consistency(spec, origin)
    return spec


def _parse_columns(entries: Any, origin: str) -> tuple[Column, ...]:
    if not isinstance(entries, list):
        raise UserError(f"columns of dataset {origin!r} must be a list, got {entries!r}")
    keys = {field.name for field in fields(Column)}
    for number, entry in enumerate(entries, start=1):
        _check_keys(entry, keys, keys, f"column {number} of dataset {origin!r}")
    return tuple(
        Column(**{key: _text(value, f"{key} of a column", origin) for key, value in entry.items()})
        for entry in entries
    )


def _text(value: Any, key: str, origin: str) -> str:
    if not isinstance(value, str) or value == "":
        raise UserError(f"{key} of dataset {origin!r} must be non-empty text, got {value!r}")
    return value


def _check_keys(content: Any, known: set[str], required: set[str], what: str) -> None:
    if not isinstance(content, Mapping):
        raise UserError(f"{what} must be a mapping of keys to values")
    for key in content:
        if key not in known:
            raise UserError(f"{what} has the unknown key {key!r}; known: {', '.join(sorted(known))}")
    for key in sorted(required):
        if key not in content:
            raise UserError(f"{what} lacks the key {key!r}")


def _check_column(column: Column, origin: str) -> None:
    for key, value, allowed in (
        ("type", column.type, tuple(TYPES)),
        ("role", column.role, ROLES),
    ):
        if value not in allowed:
            raise UserError(
                f"{key} of column {column.name!r} in dataset {origin!r} must be one of "
                f"{', '.join(allowed)}, got {value!r}"
            )
    if column.name.lower() in RESERVED or "__" in column.name:
        raise UserError(f"column name {column.name!r} in dataset {origin!r} is reserved")
    if set(column.name) & set(".`"):
        raise UserError(
            f"column name {column.name!r} in dataset {origin!r} has a dot or backtick, which Spark "
            "ML does not accept"
        )
    if column.role == "numeric" and column.type == "string":
        raise UserError(
            f"column {column.name!r} in dataset {origin!r} is numeric, so its type must be "
            "integer or double, got 'string'"
        )
    if column.role == "label" and column.type != "string":
        raise UserError(
            f"column {column.name!r} in dataset {origin!r} is the label, so its type must be "
            f"string, got {column.type!r}"
        )


def _check_consistency(spec: DatasetSpec, origin: str) -> None:
    for column in spec.columns:
        _check_column(column, origin)
    lower = [name.lower() for name in spec.names]
    for name in spec.names:
        if lower.count(name.lower()) > 1:
            raise UserError(f"dataset {origin!r} names the column {name!r} twice (case is ignored)")
    if spec.names_of("label") != [spec.label]:
        raise UserError(
            f"label of dataset {origin!r} is {spec.label!r}, but the columns with role label are "
            f"{spec.names_of('label')}"
        )
    if len(spec.labels) != 2 or spec.labels[0] == spec.labels[1] or spec.positive != spec.labels[1]:
        raise UserError(
            f"dataset {origin!r} needs two labels, the positive one last; got labels "
            f"{list(spec.labels)} and positive {spec.positive!r}"
        )
    if len(spec.separator) != 1 or spec.separator in '"\r\n':
        raise UserError(
            f"separator of dataset {origin!r} must be one character, not a quote or line break, got "
            f"{spec.separator!r}"
        )
    try:
        check_encoding(spec.encoding)
    except Unreadable as error:
        raise UserError(f"dataset {origin!r}: {error}") from None
    for name in spec.strata:
        if name not in spec.names:
            raise UserError(f"strata of dataset {origin!r} name {name!r}, which is not a column")
