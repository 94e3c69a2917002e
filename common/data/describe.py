"""Summary statistics of a whole frame: moments, quartiles, distinct values, modes."""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.readable import readable
from common.data.records import plan_wide
from common.data.row_hash import quoted, quoted_name
from common.data.sketches import ESTIMATE_ERROR, REGISTERS

# Up to this many rows, quartiles are off by at most one rank; beyond, by a millionth of the rows.
QUARTILE_ACCURACY = 1_000_000
# Number of values whose counts are tracked per column. The sketch (Apache DataSketches' frequent items)
# is exact up to three quarters of this many distinct values. The margin in `_line` allows for the error
# of the estimated number of distinct values.
TRACKED = 1 << 17
EXACT_DISTINCT = int(TRACKED * 0.75)
# Columns that are described in one pass. Each may need 30 MB in every task, and Spark plans hundreds
# together far longer than one group after the other. A pass reads only its own columns of Parquet.
AT_ONCE = 32

LOW_HALF = 0xFFFFFFFF

NUMBERS = ["mean", "stddev", "min", "25%", "50%", "75%", "max"]
COLUMNS = [
    *["column", "type", "count", *NUMBERS, "distinct", "exact", "null", "missing_%"],
    *["most_frequent", "most_frequent_count"],
]
# The columns that fit on a line, and the characters of a text there.
SHOWN = ["column", "type", "count", "mean", "stddev", "min", "50%", "max", "distinct", "missing_%"]
LONGEST = 24


def describe(frame: DataFrame) -> pd.DataFrame:
    """Describe every column of a frame, in one pass over the rows for each AT_ONCE columns.

    Memory is bounded: quartiles and value counts come from sketches, which are exact up to a million rows
    and about 98 thousand distinct values per column. Beyond that, `distinct` is HyperLogLog's estimate
    (within about 1%), the count of the most frequent value is an upper bound (null where no value stands
    out), and `exact` is false.

    Args:
        frame: Any number of numeric, text, date, timestamp or boolean columns.

    Returns:
        One row per column: count of non-null values, mean, sample standard deviation, min, quartiles and
        max (only numbers have more than min and max), number of distinct values, whether that number is
        exact, number of nulls and their share in percent, and the most frequent value with its count.
        Ties go to the value that comes first in order. Dates and timestamps are texts, in UTC.
    """
    fields = list(frame.schema)
    numbers = [field for field in fields if isinstance(field.dataType, T.NumericType)]
    plan_wide(frame.sparkSession, len(numbers), len(frame.columns))
    lines: list[list[object]] = []
    for start in range(0, len(fields), AT_ONCE):
        lines += _lines(frame, fields[start : start + AT_ONCE])
    return pd.DataFrame(lines, columns=COLUMNS)


def _lines(frame: DataFrame, fields: list[T.StructField]) -> list[list[object]]:
    aggregates = [F.struct(*_aggregates(field)) for field in fields]
    named = [column.alias(f"c{i}") for i, column in enumerate([F.count(F.lit(1)), *aggregates])]
    # Reduced on the executors, so that no sketch's full table of values is sent to the driver.
    shown = frame.agg(*named).select(
        "c0", *[_shown(f"c{i}", field.dataType) for i, field in enumerate(fields, start=1)]
    )
    row = shown.first()
    assert row is not None
    return [_line(field, row[i], row[0]) for i, field in enumerate(fields, start=1)]


def _aggregates(field: T.StructField) -> list[Column]:
    column = quoted(field.name)
    is_number = isinstance(field.dataType, T.NumericType)
    nothing = F.lit(None).cast("double")
    quartiles = F.percentile_approx(column, [0.25, 0.5, 0.75], QUARTILE_ACCURACY)
    name = quoted_name(field.name)
    return [
        F.count(column).alias("count"),
        _mean_of(field).alias("mean"),
        (F.stddev_samp(column) if is_number else nothing).alias("stddev"),
        F.min(column).alias("min"),
        (quartiles if is_number else F.lit(None).cast("array<double>")).alias("quartiles"),
        F.max(column).alias("max"),
        F.hll_sketch_estimate(F.hll_sketch_agg(column.cast("string"), REGISTERS)).alias("estimate"),
        F.expr(
            f"approx_top_k({name}, {EXACT_DISTINCT}, {TRACKED}) FILTER (WHERE {name} IS NOT NULL)"
        ).alias("values"),
    ]


def _mean_of(field: T.StructField) -> Column:
    """Return the mean of a number; of whole ones their sums, since Spark adds them up as doubles."""
    column = quoted(field.name)
    if isinstance(field.dataType, T.IntegralType):
        # The sum of 2,147 million halves of 32 bits fits in 64.
        halves = F.shiftright(column.cast("bigint"), 32), column.cast("bigint").bitwiseAND(LOW_HALF)
        return F.struct(*[F.sum(half) for half in halves])
    return F.avg(column) if isinstance(field.dataType, T.NumericType) else F.lit(None).cast("double")


def _mean(found: Any, rows: int) -> float | None:
    if not isinstance(found, T.Row):
        return None if found is None else float(found)
    high, low = found
    return None if high is None else (high * (LOW_HALF + 1) + low) / rows


def _shown(name: str, found: T.DataType) -> Column:
    column = F.col(name)
    values = column["values"]
    # The sketch returns the most frequent values first, but equally frequent ones in any order.
    top = F.get(values, F.lit(0))["count"]
    modes = F.filter(values, lambda value: value["count"] == top)
    mode = F.array_min(F.transform(modes, lambda value: value["item"]))
    shown = column.dropFields("values").withField("seen", F.size(values)).withField("mode_count", top)
    texts = {"mode": mode}
    if isinstance(found, (T.DateType, T.TimestampType, T.TimestampNTZType)):
        # Python would show a time in its own zone.
        texts |= {"min": column["min"], "max": column["max"]}
        texts = {key: value.cast("string") for key, value in texts.items()}
    for key, value in texts.items():
        shown = shown.withField(key, value)
    return shown.alias(name)


def _line(field: T.StructField, found: T.Row, rows: int) -> list[object]:
    exact = found["estimate"] <= EXACT_DISTINCT * (1 - 3 * ESTIMATE_ERROR)
    nulls = rows - found["count"]
    return [
        field.name,
        field.dataType.simpleString(),
        found["count"],
        _mean(found["mean"], found["count"]),
        found["stddev"],
        found["min"],
        *(found["quartiles"] or [None] * 3),
        found["max"],
        max(found["seen"], 0) if exact else found["estimate"],
        exact,
        nulls,
        _percentage(nulls, rows),
        found["mode"],
        found["mode_count"],
    ]


def _percentage(part: int, rows: int) -> float:
    """Return a share in percent, with two decimals; more of one that would be none or all and is not."""
    exact, rest = (100 * count / rows if rows else 0.0 for count in (part, rows - part))
    if 0 < rest < 0.01:
        return 100 - float(f"{rest:.1g}")
    return round(exact, 2) if exact >= 0.01 else float(f"{exact:.1g}")


def describe_html(table: pd.DataFrame, title: str) -> str:
    """Return a description as one self-contained HTML page.

    Args:
        table: The result of `describe`.
        title: The heading of the page.
    """
    cell = [("padding", "4px 10px"), ("border-bottom", "1px solid #ddd"), ("text-align", "right")]
    styled = (
        table.style.hide(axis="index")
        .set_caption(title)
        .format(readable, na_rep="", escape="html")
        .bar(subset=["missing_%"], color="#f4c7b8", vmin=0, vmax=100)
        .set_table_styles(
            [
                {"selector": "", "props": "border-collapse: collapse; font: 13px sans-serif"},
                {"selector": "td, th", "props": cell},
                {"selector": "th", "props": "position: sticky; top: 0; background: #f5f5f5"},
                {"selector": "td.col0", "props": "font-weight: bold; text-align: left"},
                {"selector": "caption", "props": "font-size: 18px; text-align: left; padding: 8px"},
            ]
        )
    )
    return styled.to_html(doctype_html=True)


def describe_text(table: pd.DataFrame) -> str:
    """Return the main part of a description as a line per column; modes with the number of their rows.

    Args:
        table: The result of `describe`.
    """
    shown = table[SHOWN].astype(object).map(_short)
    modes = table["most_frequent"].astype(object).map(_short)
    times = table["most_frequent_count"].map(lambda count: "" if pd.isna(count) else f"{count:,.0f}")
    shown["most_frequent (rows)"] = [
        f"{mode} ({rows})" if rows else mode for mode, rows in zip(modes, times, strict=True)
    ]
    return shown.to_string(index=False, max_colwidth=None)


def _short(value: Any) -> str:
    if pd.isna(value):
        return ""
    text = readable(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
