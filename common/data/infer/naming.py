"""The names of a table's columns, and which of them a user means."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from common.data.reading import BLANKS, unique_names
from common.data.spec_checks import check_renamed, is_reserved
from common.data.spec_yaml import Given
from common.errors import UserError

SHOWN_NAMES = 20


@dataclass(frozen=True)
class Names:
    """The names of a table's columns.

    Attributes:
        file: The name of each column in the file; empty if it has none.
        own: Its name in the data set.
        rename: Own names by those in the file, where they differ.
        told: What the user should know of the names.
    """

    file: tuple[str, ...]
    own: tuple[str, ...]
    rename: Mapping[str, str]
    told: tuple[str, ...]


def name_columns(file: Sequence[str], has_header: bool, given: Given) -> Names:
    """Name the columns of a table: as given, else as in the file.

    Without a header the listed columns name those of the file if there are as many.

    Args:
        file: The names in the file, or without a header as many empty ones.
        has_header: Whether the file has names.
        given: What the user says.

    Raises:
        UserError: Two names differ only by case, a name to replace is not in the file, or its new name is
            that of another column.
    """
    _check_case(file, given)
    listed = list(given.columns)
    base = listed if not has_header and len(listed) == len(file) else unique_names(file)
    told = []
    if has_header:
        changed = [(old, new) for old, new in zip(file, base, strict=True) if old != new]
        told = [
            f"a column {f'named {old!r} again' if old else 'without a name'} is {new}"
            for old, new in changed
        ]
    own, rename = list(base), {}
    for old, new in given.rename.items():
        place = find_place(old, file, base, "rename")
        own[place] = rename[base[place]] = new
    check_renamed(own, rename, given.name)
    for place, name in enumerate(own):
        if is_reserved(name):
            own[place] = rename[base[place]] = f"{name.lstrip('_')} (input)"
            told.append(f"column {name!r} is read as {own[place]!r}: the workflow adds one of that name")
    return Names(tuple(file), tuple(own), rename if has_header else {}, tuple(told))


def find_place(name: str, file: Sequence[str], own: Sequence[str], key: str, source: str = "") -> int:
    """Return the place of the column that a user names, by its own name or that in the file.

    Args:
        name: The name; case and blanks around it count only where they leave a doubt.
        file: The names in the file.
        own: The names in the data set.
        key: What the user says with it, for the error.
        source: The file, for the error.

    Raises:
        UserError: There is no such column.
    """
    for known in (own, file):
        if name and name in known:
            return list(known).index(name)
    wanted, plain = _plain(name), [_plain(known) for known in own]
    for plainly in (plain, [_plain(known) for known in file]):
        if wanted and plainly.count(wanted) == 1:
            return plainly.index(wanted)
    near = get_close_matches(wanted, plain, 1)
    hint = f" (did you mean {own[plain.index(near[0])]!r}?)" if near else ""
    where = f" of {source}" if source else ""
    raise UserError(f"{key} {name!r} is no column{where}{hint}; the columns are {listing(own)}")


def _plain(name: str) -> str:
    return name.strip(BLANKS).lower()


def listing(names: Iterable[str], most: int = SHOWN_NAMES) -> str:
    """Return names as one text, the first few of many."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _check_case(file: Sequence[str], given: Given) -> None:
    left = dict.fromkeys(name for name in file if name and name not in given.drop)
    for lower, count in Counter(name.lower() for name in left).items():
        if count > 1:
            first, second = [name for name in left if name.lower() == lower][:2]
            raise UserError(
                f"columns {first!r} and {second!r} differ only by case, which Spark ignores: leave one "
                f"out with drop: {json.dumps([second], ensure_ascii=False)}"
            )
