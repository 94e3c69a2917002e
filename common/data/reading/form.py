"""What a file of records looks like, and where in it the columns are that are wanted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

SHOWN_NAMES = 20


class Unreadable(ValueError):
    """What was given is no table of these records: the message says why, on one line."""


@dataclass(frozen=True)
class Form:
    """The form of a data set's records.

    Attributes:
        columns: names of the columns that are wanted, and the type of each: INTEGER, DOUBLE or TEXT.
        optional: those whose numbers may be missing; a text always may.
        layout: names of all columns of the data set's own files, in order.
        label: name of the column that has the true label.
        separator: the character that parts the fields of a line.
        missing: the text that stands for a missing number.
        encoding: of files, by Python's name for it: UTF-8, or one of a byte a character.
    """

    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    layout: tuple[str, ...] = ()
    label: str = ""
    separator: str = ","
    missing: str = "?"
    encoding: str = field(default="utf-8")

    def to_json(self) -> str:
        """Return it as JSON that `from_json` reads back."""
        return json.dumps({**asdict(self), "optional": sorted(self.optional)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Form":
        """Read what `to_json` wrote."""
        content = json.loads(text)
        content["optional"] = frozenset(content["optional"])
        content["layout"] = tuple(content["layout"])
        return cls(**content)


@dataclass(frozen=True)
class Header:
    """Where a table's columns are.

    Attributes:
        names: of all columns, in order; one without a name is `_c<its place>`.
        places: of the columns that are wanted, by the form's own name.
        there: whether a record said so; else they are where the data set's own files have them.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]
    there: bool


def find_columns(first: Sequence[str], form: Form) -> Header:
    """Tell from the first record of a file where the columns are.

    It is a header if it has the names of all columns that are wanted, in any order and case; columns
    more are no matter. One that has more than half of them is a header that lacks the others. Any
    other is a record, and the file has the columns of `form.layout`, in order; where the label is not
    wanted it may be left out.

    Raises:
        Unreadable: it is neither, or names a column twice.
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
        f"has no header with the column {lacking[0]!r}, nor {len(form.layout)} fields a line as the "
        f"data set's own files have; its first line has {len(first)}"
    )


def find_named(names: Sequence[str], form: Form) -> Mapping[str, int]:
    """Tell where the columns are in a table that has names, as Parquet has.

    Raises:
        Unreadable: one is missing, or there twice (case is ignored).
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
