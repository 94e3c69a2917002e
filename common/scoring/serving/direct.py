"""A JSON request of good records read without pandas, whose frames cost more than scoring a record."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .forms import FORMS, INPUTS, PARTS, SPLIT, parse_json

# What a request may have raised that is no table of good records.
NOT_GOOD = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)


class _Column(NamedTuple):
    """A column that a record must have.

    Attributes:
        name: Its name.
        names: The names that it may have in a request, the likeliest first.
        read: Reads a value that is not null, by the model's rules.
        held: The NumPy type of its values.
        nothing: What stands for a missing value; None if there must be one.
    """

    name: str
    names: tuple[str, ...]
    read: Callable[[Any], Any]
    held: type
    nothing: Any


class Direct:
    """Reads requests by a model's own rules, value by value, straight into the pipeline's types.

    It knows good requests alone. What is wrong with another one is for MLflow's server to say, which
    reads it again: so there is one place that words refusals, and both ways give the same ones.
    """

    def __init__(self, reading: ModuleType, form: Any) -> None:
        """Prepare the columns.

        Args:
            reading: The package of reading rules stored with the model.
            form: The form of the records that the model takes.
        """
        self._missing = reading.cells.MISSING
        self._columns = [_column(name, reading, form) for name in form.columns]
        # MLflow's server reads a request, and the model its columns once more. Where `true` marks a
        # missing value, that makes one of `TRUE`, which is read as `true` first. Where a file's name of
        # one column is another's own, each record needs a look at all of its names.
        apart = all(next(iter(form.names_of(name))) == name for name in form.columns)
        self._knows = apart and not form.markers & {"true", "false"}

    def read(self, body: bytes) -> dict[str, np.ndarray] | None:
        """Read the columns of the records in a request: an array of shape (rows,) for each.

        Returns:
            The values as `read_rows` returns them, with dates as microseconds; None if this is not
            a request of at least one record, all of them good.
        """
        try:
            asked = parse_json(body)
            if not self._knows or not isinstance(asked, dict) or len(asked) != 1:
                return None
            ((form, table),) = asked.items()
            given = self._given(form, table) if form in FORMS else None
            return None if given is None else self._read(given)
        except NOT_GOOD:
            return None

    def _given(self, form: str, table: Any) -> list[Sequence[Any]] | None:
        """Return the values of each column as JSON parsed them."""
        if form == SPLIT:
            return self._split(table)
        if form == INPUTS and isinstance(table, dict):
            lengths = {len(values) if isinstance(values, list) else None for values in table.values()}
            if len(lengths) == 1 and None not in lengths:
                return [table[_key(column, table)] for column in self._columns]
            if not any(isinstance(values, list) for values in table.values()):
                table = [table]
        if not isinstance(table, list) or not all(isinstance(record, dict) for record in table):
            return None
        return [[record[_key(column, record)] for record in table] for column in self._columns]

    def _split(self, table: Any) -> list[Sequence[Any]] | None:
        names, data = table["columns"], table["data"]
        if not isinstance(names, list) or not isinstance(data, list) or not table.keys() <= PARTS:
            return None
        places = {name: place for place, name in enumerate(names)}
        if len(places) < len(names):
            return None
        if not all(isinstance(values, list) and len(values) == len(names) for values in data):
            return None
        wanted = [places[_key(column, places)] for column in self._columns]
        return [[values[place] for values in data] for place in wanted]

    def _read(self, given: list[Sequence[Any]]) -> dict[str, np.ndarray] | None:
        found: dict[str, np.ndarray] = {}
        for column, values in zip(self._columns, given, strict=True):
            read: list[Any] = []
            for value in values:
                # Of JSON's values NaN alone is not equal to itself.
                one = self._missing if value is None or value != value else column.read(value)
                one = column.nothing if one is self._missing else one
                if one is None:
                    return None
                read.append(one)
            if not read:
                return None
            found[column.name] = np.array(read, column.held)
        return found


def answer_of(found: Mapping[str, np.ndarray]) -> bytes:
    """Return the answer with these columns, as MLflow's server would give it."""
    rows = zip(*(values.tolist() for values in found.values()), strict=True)
    return json.dumps({"predictions": [dict(zip(found, row, strict=True)) for row in rows]}).encode()


def _column(name: str, reading: ModuleType, form: Any) -> _Column:
    kind = form.columns[name]
    held, nothing = reading.values.HELD[kind]
    optional = name in form.optional or kind in (reading.TEXT, reading.BOOLEAN)
    names = tuple(dict.fromkeys(form.names_of(name)))
    # A model that was made before there were units has no such argument.
    unit = getattr(form, "units", {}).get(name)
    read = reading.cells.reader(kind, form, unit) if unit else reading.cells.reader(kind, form)
    return _Column(name, names, read, held, nothing if optional else None)


def _key(column: _Column, there: Mapping[str, Any]) -> str:
    """Return the name that a column has among these.

    Raises:
        KeyError: It has none of its names.
    """
    for name in column.names:
        if name in there:
            return name
    raise KeyError(column.name)
