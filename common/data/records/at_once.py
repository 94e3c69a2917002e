"""Records of many columns, each read as a whole by `common/data/reading` itself.

Spark plans each column's rules as a tree of twenty expressions, again and again for each of the columns.
With hundreds of columns that takes minutes. There a function in Python, which Spark need not look into,
reads all columns at once.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.functions import arrow_udf

from common.data.reading import (
    BOOLEAN,
    DATE,
    INTEGER,
    NO_INTEGER,
    NO_TEXT,
    TEXT,
    TIMESTAMP,
    Form,
    Header,
    Rows,
    read_records,
    read_rows,
)
from common.data.records.cells import DDL, Cell

# With more columns, a function in Python reads them faster than Spark plans its own expressions.
MOST_PLANNED = 48
READ, GOOD = "__read", "good"
ARROW: Mapping[str, pa.DataType] = {
    INTEGER: pa.int64(),
    DATE: pa.date32(),
    TIMESTAMP: pa.timestamp("us", "UTC"),
    TEXT: pa.string(),
    BOOLEAN: pa.string(),
}


def values_of_records(header: Header, form: Form) -> Any:
    """Return a function of Spark from the texts of CSV records to a structure of all values."""

    @arrow_udf(_structure(form))  # type: ignore[call-overload]
    def values(records: pa.Array) -> pa.Array:
        return _as_arrow(read_records(records.to_pylist(), header, form), form)

    # Spark repeats a function that it takes for deterministic wherever its result is used.
    return values.asNondeterministic()


def values_of_rows(form: Form) -> Any:
    """Return a function of Spark from the required columns, in order, to a structure of all values."""

    @arrow_udf(_structure(form))  # type: ignore[call-overload]
    def values(*given: pa.Array) -> pa.Array:
        return _as_arrow(read_arrays(given, form), form)

    return values.asNondeterministic()


def read_arrays(given: tuple[pa.Array, ...], form: Form) -> Rows:
    """Read the required columns, in order, from Arrow's arrays."""
    columns = {name: _series(array) for name, array in zip(form.columns, given, strict=True)}
    return read_rows(pd.DataFrame(columns), form)


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


def cells_read(form: Form) -> dict[str, Cell]:
    """Return the cells of a frame whose column READ has such a structure; a row is good as a whole."""
    values = F.col(READ)
    return {name: Cell(values[f"v{place}"], F.lit(True)) for place, name in enumerate(form.columns)}


def good_rows() -> Column:
    """Return whether a row of a frame with the column READ is good."""
    return F.col(READ)[GOOD]


def _structure(form: Form) -> T.StructType:
    of_values = [f"v{place} {DDL[kind]}" for place, kind in enumerate(form.columns.values())]
    found = T.StructType.fromDDL(", ".join([*of_values, f"{GOOD} boolean"]))
    assert isinstance(found, T.StructType)
    return found


def _as_arrow(rows: Rows, form: Form) -> pa.Array:
    arrays = [_array(rows.values[name], rows.good, kind) for name, kind in form.columns.items()]
    names = [f"v{place}" for place in range(len(arrays))]
    return pa.StructArray.from_arrays([*arrays, pa.array(rows.good)], [*names, GOOD])


def _array(values: np.ndarray, good: np.ndarray, kind: str) -> pa.Array:
    if kind in (TEXT, BOOLEAN):
        missing = values == NO_TEXT
    elif kind in (DATE, TIMESTAMP):
        missing = np.isnat(values)
    else:
        missing = values == NO_INTEGER if kind == INTEGER else np.isnan(values)
    if kind in (DATE, TIMESTAMP):
        values = values.astype("datetime64[D]" if kind == DATE else values.dtype)
    return pa.array(values, ARROW.get(kind, pa.float64()), mask=missing | ~good)
