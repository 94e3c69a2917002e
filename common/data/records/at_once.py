"""Records read by `common/data/reading` itself: Python reads all columns of a batch at once.

Rules written as Spark's expressions would be a second set of them. Spark plans each column's as a tree of
twenty, which takes minutes with hundreds of columns, and evaluates those of a number several times over.
The function may go on to use the values where they are.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.functions import arrow_udf

from common.data.reading import (
    BOOLEAN,
    DATE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    Form,
    Header,
    Rows,
    column_of_texts,
    grammar,
    is_missing,
    own_named,
    read_records,
    read_rows,
)
from common.data.spec import TYPES

READ, REASON, THEN = "__read", "reason", "then"
ARROW: Mapping[str, pa.DataType] = {
    INTEGER: pa.int64(),
    DATE: pa.date32(),
    TIMESTAMP: pa.timestamp("us", "UTC"),
    TEXT: pa.string(),
    BOOLEAN: pa.string(),
}


@dataclass(frozen=True)
class Then:
    """What is made of the values of good rows where they are read.

    Attributes:
        result: Spark's type of what is made of a row.
        begin: Called once for each part of the rows; returns a function from the columns' values, as
            `read_rows` returns them, to an array of the results, null where there is none.
    """

    result: T.DataType
    begin: Callable[[], Callable[[Mapping[str, np.ndarray]], pa.Array]]


def values_of_records(header: Header, form: Form, then: Then | None = None) -> Any:
    """Return a function of Spark from the texts of CSV records to a structure of all values."""
    return _function(lambda given: read_texts(given[0], header, form), 1, form, then)


def values_of_rows(form: Form, then: Then | None = None) -> Any:
    """Return a function of Spark from the required columns, in order, to a structure of all values."""
    return _function(lambda given: read_arrays(given, form), len(form.columns), form, then)


def values_of_fields(form: Form) -> Any:
    """Return a function of Spark from the fields of the only column to a structure of its value."""
    ((name, kind),) = form.columns.items()
    return _function(lambda given: _read_fields(given[0].fill_null(""), name, kind, form), 1, form, None)


def _function(
    read: Callable[[tuple[pa.Array, ...]], Rows], width: int, form: Form, then: Then | None
) -> Any:
    def values(batches: Iterator[Any]) -> Iterator[pa.Array]:
        make = then.begin() if then else None
        for batch in batches:
            # Spark gives the only column as it is, and several as a tuple.
            rows = read(batch if isinstance(batch, tuple) else (batch,))
            yield _as_arrow(rows, form, _made(rows, make) if make else None)

    # Spark tells by the hints which kind of function this is.
    given = tuple[pa.Array, ...] if width > 1 else pa.Array
    values.__annotations__ = {"batches": Iterator[given], "return": Iterator[pa.Array]}  # type: ignore[valid-type]
    function: Any = arrow_udf
    # Spark repeats a function that it takes for deterministic wherever its result is used.
    return function(values, _structure(form, then)).asNondeterministic()


def _made(rows: Rows, make: Callable[[Mapping[str, np.ndarray]], pa.Array]) -> pa.Array:
    """Return what is made of each row, null for one that is not good."""
    if rows.good.all():
        return make(rows.values)
    found = make({name: values[rows.good] for name, values in rows.values.items()})
    return found.take(pa.array(np.cumsum(rows.good) - 1, mask=~rows.good))


def read_texts(records: pa.Array, header: Header, form: Form) -> Rows:
    """Read records of CSV: those without a quote at once, the others one by one."""
    fields = pc.split_pattern(records, form.separator)
    fits = pc.equal(pc.list_value_length(fields), len(header.names))
    is_plain = pc.and_not(fits, pc.match_substring(records, '"'))
    plain = is_plain.to_numpy(zero_copy_only=False)
    if plain.all():
        return _read_plain(fields, header, form)
    others = read_records(records.filter(pc.invert(is_plain)).to_pylist(), header, form)
    if not plain.any():
        return others
    return _joined(_read_plain(fields.filter(is_plain), header, form), others, plain)


def _read_plain(fields: pa.ListArray, header: Header, form: Form) -> Rows:
    """Read records from their fields, as many as the table has columns."""
    cells, blanks, width = fields.flatten(), grammar(form.separator).blanks, len(header.names)
    values, reasons = {}, np.full(len(fields), None, dtype=object)
    for name, kind in form.columns.items():
        own = cells.take(pa.array(np.arange(header.places[name], len(cells), width)))
        read = _read_fields(pc.utf8_trim(own, blanks), name, kind, form)
        values[name] = read.values[name]
        reasons = reasons if read.good.all() else np.where(pd.isna(reasons), read.reasons, reasons)
    return Rows(values, pd.isna(reasons), reasons)


def _read_fields(texts: pa.Array, name: str, kind: str, form: Form) -> Rows:
    """Read a column of fields, without surrounding blanks and quotes: each text once."""
    distinct = texts.dictionary_encode()
    column = column_of_texts(distinct.dictionary.to_pylist(), kind, form)
    known = read_rows(own_named(pd.DataFrame({name: column})), replace(form, columns={name: kind}))
    places = distinct.indices.to_numpy()
    return Rows({name: known.values[name][places]}, known.good[places], known.reasons[places])


def _joined(some: Rows, others: Rows, is_of_some: np.ndarray) -> Rows:
    """Return the rows of two tables as one, by whether each is of the first."""

    def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        whole: np.ndarray = np.empty(len(is_of_some), first.dtype)
        whole[is_of_some], whole[~is_of_some] = first, second
        return whole

    values = {name: joined(found, others.values[name]) for name, found in some.values.items()}
    return Rows(values, joined(some.good, others.good), joined(some.reasons, others.reasons))


def read_arrays(given: tuple[pa.Array, ...], form: Form) -> Rows:
    """Read the required columns, in order, from Arrow's arrays."""
    columns = {name: _series(array) for name, array in zip(form.columns, given, strict=True)}
    return read_rows(own_named(pd.DataFrame(columns)), form)


def _series(array: pa.Array) -> pd.Series:
    """Return an array as a column that can be read at once: numbers as they are, each text only once."""
    if pa.types.is_floating(array.type):
        return pd.Series(array.to_numpy(zero_copy_only=False))
    if pa.types.is_signed_integer(array.type):
        none = array.is_null().to_numpy(zero_copy_only=False)
        values = array.fill_null(0).to_numpy(zero_copy_only=False)
        return pd.Series(pd.arrays.IntegerArray(values, none))
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        texts = array.dictionary_encode()
        places = texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        known = pd.Index(texts.dictionary.to_pylist(), dtype=object)
        return pd.Series(pd.Categorical.from_codes(places, known))
    return pd.Series(array.to_pylist(), dtype=object)


def values_read(form: Form) -> dict[str, Column]:
    """Return the values of a frame whose column READ has such a structure, by the columns' names.

    A value is null if it is missing, and in a bad row.
    """
    return {name: F.col(READ)[f"v{place}"] for place, name in enumerate(form.columns)}


def why_bad() -> Column:
    """Return what is wrong with a row of a frame with the column READ, null for a good one."""
    return F.col(READ)[REASON]


def made_of_rows() -> Column:
    """Return what was made of a good row of a frame with the column READ."""
    return F.col(READ)[THEN]


def _structure(form: Form, then: Then | None) -> T.StructType:
    fields = [
        T.StructField(f"v{place}", TYPES[kind]()) for place, kind in enumerate(form.columns.values())
    ]
    found = T.StructType([*fields, T.StructField(REASON, T.StringType())])
    return found.add(THEN, then.result) if then else found


def _as_arrow(rows: Rows, form: Form, made: pa.Array | None = None) -> pa.Array:
    arrays = [_array(rows.values[name], rows.good, kind) for name, kind in form.columns.items()]
    names = [*(f"v{place}" for place in range(len(arrays))), REASON]
    arrays.append(pa.array(rows.reasons, pa.string()))
    if made is not None:
        arrays.append(made)
        names.append(THEN)
    return pa.StructArray.from_arrays(arrays, names)


def _array(values: np.ndarray, good: np.ndarray, kind: str) -> pa.Array:
    missing = is_missing(values)
    if kind in (DATE, TIMESTAMP):
        values = values.astype("datetime64[D]" if kind == DATE else values.dtype)
    return pa.array(values, ARROW.get(kind, pa.float64()), mask=missing | ~good)
