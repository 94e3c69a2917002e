"""The columns of a form among the names of a table, of a frame or of an object in JSON."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .form import Form, Unreadable
from .kinds import BLANKS, BOOLEAN, TEXT
from .numbers import number_pattern

SHOWN_NAMES = 20
TEXTS = (TEXT, BOOLEAN)


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


def find_column(name: str, names: Sequence[str], form: Form) -> str | None:
    """Return the name that a column has among these of a table; None if it has none."""
    place = _places(names, [name], form).get(name)
    return None if place is None else names[place]


def find_keys(names: Sequence[object], form: Form) -> Mapping[str, object]:
    """Return the name that each required column has in a frame or in a JSON object.

    Case counts, surrounding blanks do not, and 5 is "5".

    Raises:
        Unreadable: A column is missing, or is repeated.
    """
    counts = Counter(names)
    plain: dict[str, list[object]] = {}
    found: dict[str, object] = {}
    for name in _all_of(form.columns, form):
        there: list[Any] = next(([known] for known in form.names_of(name) if known in counts), [])
        if not there:
            plain = plain or _plainly(counts)
            known = (plain.get(known.strip(BLANKS), []) for known in form.names_of(name))
            there = next(filter(None, known), [])
        if name in form.columns and (len(there) != 1 or counts[there[0]] > 1):
            often = sum(counts[key] for key in there)
            how = f"present {often} times" if often else "missing"
            raise Unreadable(f"column {form.told(name)} is {how}")
        if len(there) == 1:
            found[name] = there[0]
    kept = _told_apart(found, {key: str(key) for key in found.values()}, form)
    for name in form.columns:
        if name not in kept:
            raise Unreadable(f"column {form.told(name)} is missing")
    return {name: kept[name] for name in form.columns}


def _all_of(wanted: Iterable[str], form: Form) -> dict[str, None]:
    """Return the columns that are wanted, and others that may have one of their names."""
    return dict.fromkeys([*wanted, *form.columns, *form.renamed, *([form.label] if form.label else [])])


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

    Case and surrounding blanks do not count; a name that is alike but for blanks comes last.
    """
    wanted = list(wanted)
    found: dict[str, int] = {}
    for plain in (str.lower, _bare):
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            places.setdefault(plain(name), place)
        for name in _all_of(wanted, form):
            there = (places[plain(known)] for known in form.names_of(name) if plain(known) in places)
            first = next(there, None)
            if first is not None:
                found.setdefault(name, first)
    kept = _told_apart(found, dict(enumerate(names)), form)
    return {name: kept[name] for name in wanted if name in kept}


def _bare(name: str) -> str:
    return name.strip(BLANKS).lower()


def _told_apart(found: Mapping[str, Any], names: Mapping[Any, str], form: Form) -> dict[str, Any]:
    """Leave out columns that were found where another one is: it stands where the files call it so.

    Args:
        found: Where each column was found: by name or by position.
        names: The name there.
        form: The form.
    """
    rivals: dict[Any, list[str]] = {}
    for name, place in found.items():
        rivals.setdefault(place, []).append(name)
    kept: dict[str, Any] = {}
    for place, there in rivals.items():
        same = [there]
        if len(there) > 1:
            plains = (str.lower, _bare)
            same = [[n for n in there if p(form.in_file(n)) == p(names[place])] for p in plains]
        kept |= {one[0]: place for one in same if len(one) == 1}
    return kept


def _checked(found: Mapping[str, int], names: Sequence[str], form: Form) -> Mapping[str, int]:
    """Refuse names of a table in which a required column is missing, or is one of several."""
    counts = Counter(name.lower() for name in names)
    for name in form.columns:
        if name not in found:
            shown = unique_names(names)[:SHOWN_NAMES]
            listed = ", ".join(shown) + (" ..." if len(names) > SHOWN_NAMES else "")
            raise Unreadable(f"has no column {form.told(name)}; it has {listed}")
        there = names[found[name]]
        # One that is found by its very name may have others beside it that differ in blanks.
        often = counts[there.lower()]
        if not any(known.lower() == there.lower() for known in form.names_of(name)):
            often = sum(_bare(other) == _bare(there) for other in names)
        if there and often > 1 and not tells_apart(there, names, form):
            raise Unreadable(f"has the column {there!r} twice (case and blanks are ignored)")
    return dict(found)
