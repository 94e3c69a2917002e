"""The form of a file of records, and the positions of the required columns in it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

SHOWN_NAMES = 20


class Unreadable(ValueError):
    """The input is not a table of the expected records; the message gives the reason on one line."""


@dataclass(frozen=True)
class Form:
    """The form of a data set's records.

    Attributes:
        columns: Names of the required columns, and the type of each, one of those in `values`.
        optional: Names of the columns that may have missing values; a text may always be missing.
        layout: Names of all columns of the data set's own files, in order.
        label: Name of the column with the true label.
        separator: The character that separates the fields of a line.
        missing: The texts that mark a missing value, beside an empty one.
        encoding: Python's name of the files' encoding: UTF-8 or a single-byte encoding.
        decimal: The decimal mark of numbers in text: a point or a comma.
        renamed: The name in the files of each column that is named otherwise here.
    """

    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    layout: tuple[str, ...] = ()
    label: str = ""
    separator: str = ","
    missing: tuple[str, ...] = ("?",)
    encoding: str = "utf-8"
    decimal: str = "."
    renamed: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the form as JSON that `from_json` can read."""
        return json.dumps({**asdict(self), "optional": sorted(self.optional)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Form":
        """Read a form that `to_json` wrote."""
        content = json.loads(text)
        content["optional"] = frozenset(content["optional"])
        content["layout"] = tuple(content["layout"])
        content["missing"] = tuple(content["missing"])
        return cls(**content)


@dataclass(frozen=True)
class Header:
    """The positions of a table's columns.

    Attributes:
        names: Names of all columns, in order; a column without a name is `_c<position>`.
        places: Position of each required column, by its name in the form.
        there: Whether the file has a header record; if not, the columns are those of the data set's own
            files.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]
    there: bool


def find_columns(first: Sequence[str], form: Form) -> Header:
    """Locate the columns from the first record of a file.

    The record is a header if it has the names of all required columns, in any order and case; extra
    columns are allowed. If it has more than half of the names, it is an incomplete header. Otherwise it
    is data, and the file has the columns of `form.layout`, in order. The label column may be absent if
    it is not required.

    Raises:
        Unreadable: The record is an incomplete header or has the wrong number of fields, or a column
            name is repeated.
    """
    given = {name.lower() for name in first}
    lacking = [name for name in form.columns if name.lower() not in given]
    if not lacking or 2 * len(lacking) < len(form.columns):
        names = [name or f"_c{place}" for place, name in enumerate(first)]
        return Header(tuple(names), _places(names, form, lacking), there=True)
    for layout in (form.layout, [name for name in form.layout if name != form.label]):
        if len(layout) == len(first) and set(form.columns) <= set(layout):
            return Header(tuple(layout), _places(layout, form, []), there=False)
    raise Unreadable(
        f"has neither a header with the column {lacking[0]!r} nor the {len(form.layout)} fields per line "
        f"of the data set's own files; its first line has {len(first)}"
    )


def find_named(names: Sequence[str], form: Form) -> Mapping[str, int]:
    """Locate the columns of a table that has named columns, such as Parquet.

    Raises:
        Unreadable: A column is missing, or is repeated (case is ignored).
    """
    given = {name.lower() for name in names}
    return _places(names, form, [name for name in form.columns if name.lower() not in given])


def _places(names: Sequence[str], form: Form, lacking: Sequence[str]) -> Mapping[str, int]:
    if lacking:
        listed = ", ".join(names[:SHOWN_NAMES]) + (" ..." if len(names) > SHOWN_NAMES else "")
        raise Unreadable(f"has no column {lacking[0]!r}; it has {listed}")
    folded = [name.lower() for name in names]
    for name in names:
        if folded.count(name.lower()) > 1:
            raise Unreadable(f"has the column {name!r} twice (case is ignored)")
    return {name: folded.index(name.lower()) for name in form.columns}
