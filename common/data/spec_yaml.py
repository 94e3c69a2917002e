"""Specs as YAML: what a user says of a data set, and a complete spec written and read back."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from os.path import isfile
from typing import Any

import yaml

from common import ROOT
from common.data.reading import Unreadable, check_encoding, plain_text
from common.data.spec import LABEL_ROLE, Column, DatasetSpec
from common.data.spec_checks import check_renamed, check_spec
from common.data.spec_columns import parse_columns
from common.data.spec_values import check_keys, count_in, text_in, texts_in
from common.data.target import BINARY, MULTICLASS, REGRESSION, TASK_NAMES
from common.errors import UserError, first_line
from common.machine.text_file import read_text_file
from common.machine.user_path import user_path

CONF = ROOT / "conf" / "datasets"

SHOWN_NAMES = 20
LISTS = ("labels", "strata", "missing", "drop", "leave_out")


@dataclass(frozen=True)
class Given:
    """What a user says of a data set; None, or nothing, for all that its files are to tell.

    Attributes:
        columns: What is said of a column, by its name: its `type`, its `role` or both.
        drop: Names of the columns to leave out, like the role ignored.
        rename: The name of a column here, by its name in the file.
        label, labels, positive, strata, task, home, sha256, sample, separator, missing, encoding,
            decimal, max_categories, leave_out: As in DatasetSpec.
    """

    name: str
    label: str
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    positive: str | None = None
    strata: tuple[str, ...] | None = None
    task: str | None = None
    home: str | None = None
    sha256: str | None = None
    sample: str | None = None
    separator: str | None = None
    missing: tuple[str, ...] | None = None
    encoding: str | None = None
    decimal: str | None = None
    max_categories: int | None = None
    leave_out: tuple[str, ...] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to infer, as in a spec written out in full."""
        said = (self.labels is not None or self.task == REGRESSION) and self.strata is not None
        whole = all(keys.keys() >= {"type", "role"} for keys in self.columns.values())
        labelled = self.columns.get(self.label, {}).get("role") == LABEL_ROLE
        return said and whole and labelled and not self.drop

    def spec(self) -> DatasetSpec:
        """Return the spec of a data set of which all is said.

        Raises:
            UserError: The parts contradict each other.
        """
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("columns", "drop")}
        given = {key: value for key, value in given.items() if value is not None}
        columns = tuple(
            Column(
                name,
                keys["type"],
                keys["role"],
                float(keys.get("missing", 0)),
                keys.get("why", ""),
                keys.get("unit", ""),
            )
            for name, keys in self.columns.items()
        )
        labels = given.setdefault("labels", ())
        given.setdefault("task", BINARY if len(labels) == 2 else MULTICLASS)
        given.setdefault("positive", labels[1] if given["task"] == BINARY and len(labels) == 2 else "")
        spec = DatasetSpec(columns=columns, **given)
        check_spec(spec)
        return spec


def load_given(dataset: str) -> Given:
    """Read what a file says of a data set.

    Args:
        dataset: A name under conf/datasets, or the path of a YAML file.

    Raises:
        UserError: The data set does not exist, or its file is invalid.
    """
    is_file = dataset.endswith((".yaml", ".yml"))
    path = user_path(dataset) if is_file else CONF / f"{dataset}.yaml"
    if not isfile(path):
        known = ", ".join(sorted(file.stem for file in CONF.glob("*.yaml")))
        raise UserError(
            f"dataset {dataset!r} is unknown: give one of {known}, or the path of a YAML file; for a "
            "table of your own, source=FILE and label=COLUMN are enough"
        )
    given = parse_given(read_text_file(path, f"dataset {dataset!r}"), str(dataset))
    return _by_own_names(given, dataset)


def _by_own_names(given: Given, origin: str) -> Given:
    """Return a complete spec by the names that its columns have here; of others the file must tell.

    Raises:
        UserError: `rename` gives two columns one name, or names none of them.
    """
    rename, listed = given.rename, list(given.columns)
    # Columns that exchange their names, or pass one on, are all listed by one of the two.
    by_file = rename.keys() <= set(listed) and not set(rename.values()) <= set(listed)
    own = {
        name: name if name in rename.values() and not by_file else rename.get(name, name)
        for name in listed
    }
    known = {**rename, **own}
    columns = {own[name]: said for name, said in given.columns.items()}
    label = known.get(given.label, given.label)
    strata = None if given.strata is None else tuple(known.get(name, name) for name in given.strata)
    named = replace(given, columns=columns, label=label, strata=strata)
    if not named.is_complete:
        return given
    for old, new in rename.items():
        if new not in columns:
            has = ", ".join(listed[:SHOWN_NAMES]) + (" ..." if len(listed) > SHOWN_NAMES else "")
            raise UserError(
                f"rename of dataset {origin!r} names {old!r}, which is no column; the columns are {has}"
            )
    check_renamed(list(own.values()), rename, origin)
    return named


def load_spec(dataset: str) -> DatasetSpec:
    """Read the spec of a data set that is written out in full; see `load_given`."""
    return _whole(load_given(dataset), dataset)


def parse_spec(text: str, origin: str) -> DatasetSpec:
    """Parse a complete spec, such as `to_yaml` writes.

    Args:
        text: The YAML.
        origin: The data set's name in error messages.

    Raises:
        UserError: A key is unknown or missing, or has an invalid value.
    """
    return _whole(parse_given(text, origin), origin)


def _whole(given: Given, origin: str) -> DatasetSpec:
    if not given.is_complete:
        raise UserError(
            f"dataset {origin!r} does not say all: labels, strata, and each column's type and role; "
            "load_data infers the rest from the file"
        )
    return given.spec()


def parse_given(text: str, origin: str) -> Given:
    """Parse what a YAML text says of a data set.

    Args:
        text: The YAML.
        origin: The data set's name in error messages.

    Raises:
        UserError: A key is unknown, name or label is missing, or a value is invalid.
    """
    try:
        # The base loader keeps text as written: YAML reads No as false, 010 as 8, 1:30 as 90 and
        # 2024-01-01 as a date.
        content = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise UserError(f"dataset {origin!r} is not YAML: {_reason(error)}") from None
    except RecursionError:
        raise UserError(
            f"dataset {origin!r} is not YAML of a data set: it is nested too deeply"
        ) from None
    known = {one.name for one in fields(Given)}
    required = {one.name for one in fields(Given) if one.default is one.default_factory is MISSING}
    check_keys(content, known, required, f"dataset {origin!r}")
    found: dict[str, Any] = {}
    for key, value in content.items():
        if key == "columns":
            found[key] = parse_columns(value, origin)
        elif key == "rename":
            found[key] = _parse_rename(value, origin)
        elif key == "max_categories":
            found[key] = count_in(value, key, origin)
        elif key in LISTS:
            found[key] = texts_in(value, key, origin)
        else:
            found[key] = text_in(value, key, origin)
    # The same normalisation as for the labels of records.
    for key in {"labels", "leave_out"} & found.keys():
        found[key] = tuple(plain_text(label) for label in found[key])
    if "positive" in found:
        found["positive"] = plain_text(found["positive"])
    given = Given(**found)
    check_given(given, origin)
    return given


def _reason(error: yaml.YAMLError) -> str:
    """Return what a YAML error is about; the first line of its text often has only the context."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem is None:
        return first_line(error)
    mark = error.problem_mark or error.context_mark
    return f"{f'line {mark.line + 1}: ' if mark else ''}{error.problem}"


def to_yaml(spec: DatasetSpec) -> str:
    """Return a spec as YAML that `parse_spec` and, edited by a user, `parse_given` can read."""
    content: dict[str, Any] = {}
    for one in fields(spec):
        value = getattr(spec, one.name)
        is_default = value == (one.default if one.default_factory is MISSING else {})
        empty = value in (None, "") or (value == () and one.name != "missing")
        if empty or (is_default and one.name in ("rename", "max_categories")):
            continue
        content[one.name] = list(value) if isinstance(value, tuple) else value
    content["columns"] = [
        {key: value for key, value in vars(column).items() if value not in ("", 0.0)}
        for column in spec.columns
    ]
    if spec.rename:
        content["rename"] = dict(spec.rename)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _parse_rename(content: Any, origin: str) -> dict[str, str]:
    if not isinstance(content, Mapping):
        raise UserError(f"rename of dataset {origin!r} must map a name in the file to another")
    return {given: text_in(own, f"rename of {given!r}", origin) for given, own in content.items()}


def check_given(given: Given, origin: str) -> None:
    """Refuse what cannot be true whatever the data set's files hold.

    Raises:
        UserError: A key has a value that is not permitted.
    """
    if given.task is not None and given.task not in TASK_NAMES:
        raise UserError(
            f"task of dataset {origin!r} must be one of {', '.join(TASK_NAMES)}, got {given.task!r}"
        )
    if given.separator is not None and (len(given.separator) != 1 or given.separator in '"\r\n'):
        raise UserError(
            f"separator of dataset {origin!r} must be one character, not a quote or line break, got "
            f"{given.separator!r}"
        )
    if given.decimal is not None and given.decimal not in (".", ","):
        raise UserError(f"decimal of dataset {origin!r} must be . or a comma, got {given.decimal!r}")
    try:
        check_encoding(given.encoding or "utf-8")
    except Unreadable as error:
        raise UserError(f"dataset {origin!r}: {error}") from None
