"""Count what the values of all columns of a table look like, in one pass over the rows on Spark."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.describe import REGISTERS
from common.data.infer.facts import Facts
from common.data.infer.patterns import CODE, GROUPED, LONG, MARKERS, WHOLE, WORDS, ZEROS, patterns
from common.data.reading import BOOLEAN, CURRENCY, DATE, DOUBLE, INTEGER, PERCENT, TEXT, TIMESTAMP

# Distinct values of a column that are counted exactly: the sketch (Apache DataSketches' frequent items)
# is exact up to three quarters of those tracked. Of FEW, some may be markers of missing values.
TRACKED = 512
FEW = 300
# A value of the sketch is cut to this length, so that its memory is bounded; longer ones are estimated.
LONGEST = 256
# Kinds are few, markers included.
KINDS = 64
MARKED = "="

TYPED: tuple[tuple[type[T.DataType], str], ...] = (
    (T.IntegralType, INTEGER),
    (T.BooleanType, BOOLEAN),
    (T.DateType, DATE),
    (T.TimestampType, TIMESTAMP),
    (T.TimestampNTZType, TIMESTAMP),
    (T.StringType, TEXT),
)


@dataclass(frozen=True)
class Texts:
    """The columns to count, as c0, c1, ...; the kind of each value, as k0, k1, ..., is null with it."""

    frame: DataFrame
    is_typed: bool


def text_columns(frame: DataFrame, names: Sequence[str], decimal: str, markers: Sequence[str]) -> Texts:
    """Return columns of text, each value with its kind.

    Args:
        frame: Has the columns c0, c1, ...
        names: Their names in the data set.
        decimal: The decimal mark of numbers.
        markers: The texts that may mark a missing value.
    """
    places = range(len(names))
    kinds = [kind_of_text(F.col(f"c{place}"), decimal, markers).alias(f"k{place}") for place in places]
    return Texts(frame.select("*", *kinds), False)


def typed_columns(frame: DataFrame, markers: Sequence[str]) -> Texts:
    """Return typed columns c0, c1, ... as text, each value with its kind: its column's type."""
    columns = []
    for place, field in enumerate(frame.schema):
        value, kind = _typed(F.col(field.name), field.dataType, markers)
        columns += [value.alias(f"c{place}"), F.when(value.isNotNull(), kind).alias(f"k{place}")]
    return Texts(frame.select(*columns), True)


def is_countable(found: T.DataType) -> bool:
    """Return whether the values of a Parquet column can be a feature or a label."""
    return isinstance(found, (T.NumericType, *(known for known, _ in TYPED)))


def kind_of_text(text: Column, decimal: str, markers: Sequence[str]) -> Column:
    """Return the kind of a text; null for null."""
    known = patterns(decimal)

    def like(pattern: str) -> Column:
        return text.rlike(rf"\A(?:{pattern})\z")

    plain = F.translate(text, "/", "-")
    fits = text.try_cast("bigint").isNotNull()
    kind = (
        F.when(like(known.integer), F.when(fits, F.lit(INTEGER)).otherwise(F.lit(LONG)))
        .when(like(known.zeros), F.lit(ZEROS))
        .when(like(known.whole), F.lit(WHOLE))
        .when(like(known.number), F.lit(DOUBLE))
        .when(like(known.date) & plain.try_cast("date").isNotNull(), F.lit(DATE))
        .when(like(known.timestamp) & plain.try_cast("timestamp").isNotNull(), F.lit(TIMESTAMP))
        .when(like(known.grouped), F.lit(GROUPED))
        .when(like(known.percent), F.lit(PERCENT))
        .when(like(known.currency), F.lit(CURRENCY))
        .otherwise(F.lit(TEXT))
    )
    words = F.when(F.lower(text).isin(*WORDS), F.lit(BOOLEAN)).when(like(known.code), F.lit(CODE))
    return (
        F.when(text.isNull(), F.lit(None).cast("string"))
        .when(text.isin(*markers), F.concat(F.lit(MARKED), text))
        .when(text.rlike(rf"\A{known.start}"), kind)
        .otherwise(words.otherwise(F.lit(TEXT)))
    )


def _typed(column: Column, found: T.DataType, markers: Sequence[str]) -> tuple[Column, Column]:
    if isinstance(found, T.StringType):
        text = F.trim(column, F.lit(" \t"))
        text = F.when(text != "", text)
        return text, F.when(text.isin(*markers), F.concat(F.lit(MARKED), text)).otherwise(F.lit(TEXT))
    if isinstance(found, (T.DoubleType, T.FloatType)):
        value = F.when(~F.isnan(column), column + F.lit(0.0))
        return value.cast("string"), F.when(F.rint(value) == value, WHOLE).otherwise(F.lit(DOUBLE))
    if isinstance(found, T.DecimalType):
        fits = found.scale == 0 and found.precision <= 18
        return column.cast("string"), F.lit(INTEGER if fits else DOUBLE)
    kind = next(kind for known, kind in TYPED if isinstance(found, known))
    return column.cast("string"), F.lit(kind)


def count(texts: Texts, names: Sequence[str], decimal: str) -> list[Facts]:
    """Count in one aggregation, hence one pass over the rows; memory is bounded for each column.

    Args:
        texts: The columns.
        names: Their names in the data set.
        decimal: The decimal mark of numbers.
    """
    spark = texts.frame.sparkSession
    before = spark.conf.get("spark.sql.codegen.wholeStage")
    # For many columns Spark would generate a method that is too long for Java.
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    try:
        counts = [_counts(place, decimal).alias(f"a{place}") for place in range(len(names))]
        found = texts.frame.agg(F.count(F.lit(1)).alias("rows"), *counts)
        # Reduced on the executors, so that no sketch reaches the driver.
        row = found.select("rows", *[_reduced(f"a{place}") for place in range(len(names))]).first()
    finally:
        spark.conf.set("spark.sql.codegen.wholeStage", str(before))
    assert row is not None
    return [
        _facts(name, row["rows"], row[f"a{place}"], texts.is_typed) for place, name in enumerate(names)
    ]


def _counts(place: int, decimal: str) -> Column:
    text, kind = F.col(f"c{place}"), F.col(f"k{place}")
    is_number = kind.isin(INTEGER, WHOLE, DOUBLE)
    number = F.when(
        is_number, (F.translate(text, ",", ".") if decimal == "," else text).try_cast("double")
    )
    is_text = kind.isin(TEXT, CODE, BOOLEAN)
    spaces = F.length(text) - F.length(F.replace(text, F.lit(" "), F.lit("")))
    top = "approx_top_k({0}, {1}, {2}) FILTER (WHERE {3} IS NOT NULL)"
    return F.struct(
        F.expr(top.format(f"k{place}", KINDS * 3 // 4, KINDS, f"k{place}")).alias("kinds"),
        F.expr(top.format(f"left(c{place}, {LONGEST})", FEW, TRACKED, f"c{place}")).alias("values"),
        F.hll_sketch_estimate(F.hll_sketch_agg(text, REGISTERS)).alias("estimate"),
        F.avg(F.length(text)).alias("length"),
        F.max(F.length(text)).alias("longest"),
        F.avg(spaces + 1).alias("words"),
        F.min(number).alias("least"),
        F.max(number).alias("most"),
        F.min(F.when(is_text, F.left(text, F.lit(LONGEST)))).alias("example"),
    )


def _reduced(name: str) -> Column:
    """Return the counts of a column, without the values if there are more than FEW."""
    column = F.col(name)
    is_few = (column["estimate"] <= FEW) & (column["longest"] <= LONGEST)
    return column.withField("values", F.when(is_few, column["values"])).alias(name)


def _facts(name: str, rows: int, found: Row, is_typed: bool) -> Facts:
    kinds = {one["item"]: one["count"] for one in found["kinds"] or ()}
    markers = {kind[len(MARKED) :]: n for kind, n in kinds.items() if kind.startswith(MARKED)}
    values = found["values"]
    if not kinds:
        values = []
    return Facts(
        name=name,
        rows=rows,
        kinds={kind: n for kind, n in kinds.items() if not kind.startswith(MARKED)},
        markers=markers,
        values=None if values is None else {one["item"]: one["count"] for one in values},
        estimate=found["estimate"] or 0,
        length=found["length"] or 0.0,
        words=found["words"] or 1.0,
        least=found["least"],
        most=found["most"],
        example=found["example"],
        is_typed=is_typed,
    )


def markers_of(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the texts to count as possible markers: those that are given, else all that are known."""
    return MARKERS if given is None else tuple(given)
