"""The form of a file of records: its columns, their kinds and names, and how values are written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from .kinds import BLANKS


class Unreadable(ValueError):
    """The input is not a table of the expected records; the message gives the reason on one line."""


@dataclass(frozen=True)
class Form:
    """The form of a data set's records.

    Attributes:
        columns: Names of the required columns, and the kind of each, one of those in `kinds`.
        optional: Names of the columns that may have missing values; a text or boolean always may.
        layout: Names of all columns of the data set's own files, in order.
        label: Name of the column with the true label.
        separator: The character that separates the fields of a line.
        missing: The texts that mark a missing value, beside an empty one.
        encoding: Python's name of the files' encoding: UTF-8 or a single-byte encoding.
        decimal: The decimal mark of numbers in text: a point or a comma.
        renamed: The name in the files of each column that is named otherwise here.
        units: The currency of each column of amounts, where it is known.
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
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def markers(self) -> frozenset[str]:
        """The texts that mark a missing value, as they are compared: without surrounding blanks."""
        return frozenset(text.strip(BLANKS) for text in self.missing) | {""}

    def in_file(self, name: str) -> str:
        """Return a column's name in the files."""
        return self.renamed.get(name, name)

    def names_of(self, name: str) -> Iterator[str]:
        """Return the names that a column may have in a table, the likeliest first.

        These are its own and that in the files, in this order, unless the files give its own name to
        another column.
        """
        if name not in {given for own, given in self.renamed.items() if own != name}:
            yield name
        yield self.in_file(name)
        yield name

    def told(self, name: str) -> str:
        """Return a column's name for a message: that in the files, and its own if it is another."""
        given = self.in_file(name)
        return repr(given) if given == name else f"{given!r} (here {name!r})"

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
