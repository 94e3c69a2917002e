"""The model card's words on the records that a model takes, and records to show as an example."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from common.data.readable import MOST_SHOWN
from common.data.reading import DATE, INTEGER, TIMESTAMP
from common.data.row_hash import quoted
from common.data.shares import percent
from common.data.spec import Column, DatasetSpec

HEADER = ("column", "type", "may be missing", "in training")

RULES = """\
Each column must be present exactly once; additional columns are ignored. An integer must be a whole
number and a double a finite one; percentages, amounts, dates and timestamps may be texts. Anything else,
or a null in a column that may not be missing, is refused, and the error names the row and the column.
A category that was never seen in training, or is not among the most frequent ones, is scored as one of
all others, as Spark does. A number outside the range seen in training is scored too. Spaces around text
are stripped; a boolean in a text column is read as `true` or `false`. CSV may have a header, or the data
set's own columns in order. An empty table gives an empty result.

The categories and ranges seen in training are in `MLmodel` under `metadata`."""


def input_rows(spec: DatasetSpec, known: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each column of a record, with the cells of HEADER.

    Args:
        spec: The data set.
        known: What the model learned about its columns, as `vocabulary` returns it.
    """
    return [
        [column.name, column.type, _missing(column, spec), _seen(known["columns"][column.name])]
        for column in spec.inputs
    ]


def _missing(column: Column, spec: DatasetSpec) -> str:
    if column.name not in spec.input_form.optional:
        return "no"
    share = f"{percent(column.missing, 1)} of" if column.missing else "none in"
    return f"yes; {share} the data set"


def _seen(known: Mapping[str, Any]) -> str:
    if "categories" in known:
        count = f"{len(known['categories']):,} categories"
        return f"{count}, the most that are told apart" if known["capped"] else count
    if "least" not in known:
        return ""
    return " to ".join(_end(known[end]) for end in ("least", "most"))


def _end(value: str | float) -> str:
    if isinstance(value, str):
        return value
    # A time in milliseconds has 13 digits.
    whole = float(value).is_integer() and abs(value) < MOST_SHOWN
    return f"{value:.0f}" if whole else f"{value:.10g}"


def example_records(rows: DataFrame, spec: DatasetSpec, count: int = 2) -> pd.DataFrame:
    """Return a few records as a client may send them: dates as texts, integers also beside a null."""
    columns = [
        quoted(c.name).cast("string").alias(c.name) if c.type in (DATE, TIMESTAMP) else quoted(c.name)
        for c in spec.inputs
    ]
    records = [row.asDict() for row in rows.select(*columns).limit(count).collect()]
    frame = pd.DataFrame(records, columns=[column.name for column in spec.inputs])
    whole = [c.name for c in spec.inputs if c.type == INTEGER and frame[c.name].isna().any()]
    return frame.assign(**{name: pd.Series([r[name] for r in records], dtype=object) for name in whole})
