"""The form of a file of records, and the positions of the required columns in it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .kinds import BLANKS, BOOLEAN, TEXT
from .numbers import number_pattern

SHOWN_NAMES = 20
TEXTS = (TEXT, BOOLEAN)


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

    def column_of(self, name: str, there: Sequence[str]) -> str | None:
        """Return the name that a column has among these of a table; None if it has none."""
        place = _places(there, [name], self).get(name)
        return None if place is None else there[place]

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


@dataclass(frozen=True)
class Header:
    """The positions of a table's columns.

    Attributes:
        names: Names of all columns, in order, as `unique_names` returns them.
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
    columns are allowed. If it has more than half of their names, or of those of `form.layout` but the
    label, or a name where a number would be, it is an incomplete header. Otherwise it is data, and the
    file has the columns of `form.layout`, in order. The label column may be absent if it is not required.

    Raises:
        Unreadable: The record is an incomplete header or has the wrong number of fields, or the name of a
            required column is repeated.
    """
    names = unique_names(first)
    found = _find(names, form)
    lacking = [name for name in form.columns if name not in found]
    inputs = [name for name in form.layout if name != form.label]
    # A blank, a marker and a number may be a column's name too, but are more likely a value.
    number = re.compile(number_pattern(form.decimal))
    values = [field in form.markers or bool(number.fullmatch(field)) for field in first]
    texts = ["" if is_value else name for name, is_value in zip(names, values, strict=True)]
    known, named = _places(texts, inputs, form), _find(texts, form)
    if not lacking or 2 * len(named) > len(form.columns) or 2 * len(known) > len(inputs) > 0:
        return Header(tuple(names), _checked(found, first, form), there=True)
    for layout in (form.layout, inputs):
        if len(layout) == len(first) and set(form.columns) <= set(layout):
            places = {name: layout.index(name) for name in form.columns}
            numbers = {place for name, place in places.items() if form.columns[name] not in TEXTS}
            if numbers & set(known.values()):
                _checked(found, first, form)
            return Header(tuple(layout), places, there=False)
    raise Unreadable(
        f"has neither a header with the column {form.told(lacking[0])} nor the {len(form.layout)} fields "
        f"per line of the data set's own files; its first line has {len(first)}"
    )


def find_named(names: Sequence[str], form: Form) -> Mapping[str, int]:
    """Locate the columns of a table that has named columns, such as Parquet.

    Raises:
        Unreadable: A required column is missing, or is repeated (case is ignored).
    """
    return _checked(_find(unique_names(names), form), names, form)


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names of a table with `_c<place>` for a blank one, and a number after a repeated one.

    Case is ignored, as Spark ignores it.
    """
    taken = {name.lower() for name in names if name}
    seen: set[str] = set()
    found = []
    for place, name in enumerate(names):
        free = name or f"_c{place}"
        number = 2
        while free.lower() in seen or (free != name and free.lower() in taken):
            free = f"{name}_{number}" if name else f"{free}_"
            number += 1
        seen.add(free.lower())
        found.append(free)
    return found


def tells_apart(name: str, names: Sequence[str], form: Form) -> bool:
    """Return whether the columns of a repeated name are told apart by the form's layout.

    They are if it has the name of each, and all of its names of this kind are there.

    Args:
        name: The name, in any case.
        names: The names of a table, repeated ones among them.
        form: The form; its layout has names as `unique_names` returns them.
    """
    unique = [one.lower() for one in unique_names(names)]
    repeats = {own for own, given in zip(unique, names, strict=True) if given.lower() == name.lower()}
    numbered = re.compile(re.escape(name.lower()) + "_[0-9]+")
    known = {form.in_file(own).lower(): own for own in form.layout}
    inputs = {given for given, own in known.items() if own != form.label and numbered.fullmatch(given)}
    return repeats <= known.keys() and inputs <= set(unique)


def find_keys(names: Sequence[object], form: Form) -> Mapping[str, object]:
    """Return the name that each required column has in a frame or in a JSON object.

    Case counts, surrounding blanks do not, and 5 is "5".

    Raises:
        Unreadable: A column is missing, or is repeated.
    """
    counts = Counter(names)
    plain: dict[str, list[object]] = {}
    found: dict[str, object] = {}
    there: list[Any]
    for name in form.columns:
        there = next(([known] for known in form.names_of(name) if known in counts), [])
        if not there:
            plain = plain or _plainly(counts)
            known = (plain.get(known.strip(BLANKS), []) for known in form.names_of(name))
            there = next(filter(None, known), [])
        if len(there) != 1 or counts[there[0]] > 1:
            often = sum(counts[key] for key in there)
            how = f"present {often} times" if often else "missing"
            raise Unreadable(f"column {form.told(name)} is {how}")
        found[name] = there[0]
    for name in found.keys() - _told_apart(found, form).keys():
        raise Unreadable(f"column {form.told(name)} is missing")
    return found


def _plainly(names: Iterable[object]) -> dict[str, list[object]]:
    """Return names by their texts without surrounding blanks."""
    found: dict[str, list[object]] = {}
    for name in names:
        found.setdefault(str(name).strip(BLANKS), []).append(name)
    return found


def _find(names: Sequence[str], form: Form) -> dict[str, int]:
    """Return the first position of each required column that is there."""
    return _places(names, form.columns, form)


def _places(names: Sequence[str], wanted: Iterable[str], form: Form) -> dict[str, int]:
    """Return the first position of each of some columns that is there.

    Case and surrounding blanks do not count; a name that is alike but for these comes after one that is.
    """
    places: dict[str, int] = {}
    for plain in (str.lower, _bare):
        for place, name in enumerate(names):
            places.setdefault(plain(name), place)
    found = {}
    for name in wanted:
        spelled = (plain(known) for known in form.names_of(name) for plain in (str.lower, _bare))
        first = next((places[known] for known in spelled if known in places), None)
        if first is not None:
            found[name] = first
    return _told_apart(found, form, names)


def _bare(name: str) -> str:
    return name.strip(BLANKS).lower()


def _told_apart(
    found: Mapping[str, Any], form: Form, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Leave out a column that was found by its own name where the files call another column so.

    Args:
        found: Where each column was found: by name or, if there are names, by position.
        form: The form.
        names: The names.
    """
    counts = Counter(found.values())
    if len(counts) == len(found):
        return dict(found)
    return {
        name: place
        for name, place in found.items()
        if counts[place] == 1
        or _bare(form.in_file(name)) == _bare(str(place if names is None else names[place]))
    }


def _checked(found: Mapping[str, int], names: Sequence[str], form: Form) -> Mapping[str, int]:
    """Refuse names of a table in which a required column is missing, or is one of several."""
    counts = Counter(name.lower() for name in names)
    for name in form.columns:
        if name not in found:
            shown = unique_names(names)[:SHOWN_NAMES]
            listed = ", ".join(shown) + (" ..." if len(names) > SHOWN_NAMES else "")
            raise Unreadable(f"has no column {form.told(name)}; it has {listed}")
        there = names[found[name]]
        if there and counts[there.lower()] > 1 and not tells_apart(there, names, form):
            raise Unreadable(f"has the column {there!r} twice (case is ignored)")
    return dict(found)
