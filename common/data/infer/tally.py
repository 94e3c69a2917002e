"""Count what the values of all columns of a table look like, in one pass over the rows on Spark."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.infer.facts import CODES, Facts
from common.data.infer.moments import is_moment
from common.data.infer.patterns import (
    CODE,
    GROUPED,
    LONG,
    MARKERS,
    UNIT,
    WHOLE,
    WORDS,
    ZEROS,
    patterns,
)
from common.data.reading import (
    BLANKS,
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
    infinity_of,
)
from common.data.row_hash import quoted
from common.data.sketches import REGISTERS

# Distinct values of a column that are counted exactly: the sketch (Apache DataSketches' frequent items)
# is exact up to three quarters of those tracked. Of FEW, some may be markers of missing values.
TRACKED = 512
FEW = 300
# A value of the sketch is cut to this length, so that its memory is bounded; longer ones are estimated.
LONGEST = 256
# Kinds are few, markers and currencies included.
KINDS = 128
MARKED = "="
VALUES = "values"
IN_MEMORY = "spark.sql.objectHashAggregate.sortBased.fallbackThreshold"

TYPED: tuple[tuple[type[T.DataType], str], ...] = (
    (T.IntegralType, INTEGER),
    (T.BooleanType, BOOLEAN),
    (T.DateType, DATE),
    (T.TimestampType, TIMESTAMP),
    (T.TimestampNTZType, TIMESTAMP),
    (T.StringType, TEXT),
)


# A value of a table: the place of its column, its text, and its kind, which is null where the text is.
PLACE, VALUE, KIND = "place", "text", "kind"


def text_cells(cells: DataFrame, decimal: str, markers: Sequence[str]) -> DataFrame:
    """Add the KIND of each text.

    Args:
        cells: Has PLACE and VALUE.
        decimal: The decimal mark of numbers.
        markers: The texts that may mark a missing value.
    """
    return cells.withColumn(KIND, kind_of_text(F.col(VALUE), decimal, markers))


def typed_cells(frame: DataFrame, markers: Sequence[str]) -> DataFrame:
    """Return the values of typed columns as PLACE, VALUE and KIND: that of its column's type."""
    typed = [_typed(quoted(field.name), field.dataType, markers) for field in frame.schema]
    pairs = [F.struct(value.alias(VALUE), kind.alias(KIND)) for value, kind in typed]
    cells = frame.select(F.posexplode(F.array(*pairs)).alias(PLACE, "cell"))
    text, kind = F.col(f"cell.{VALUE}"), F.col(f"cell.{KIND}")
    # Who stores digits as texts means texts.
    own = F.coalesce(kind, kind_of_text(text, ".", markers, numbers=False))
    return cells.select(PLACE, text, F.when(text.isNotNull(), own).alias(KIND))


def is_countable(found: T.DataType) -> bool:
    """Return whether the values of a Parquet column can be a feature or a label."""
    return isinstance(found, (T.NumericType, *(known for known, _ in TYPED)))


def kind_of_text(text: Column, decimal: str, markers: Sequence[str], numbers: bool = True) -> Column:
    """Return the kind of a text; null for null. That of an amount ends in its currency, if it has one.

    Args:
        text: The text.
        decimal: The decimal mark of numbers.
        markers: The texts that may mark a missing value.
        numbers: Whether plain numbers are told from text.
    """
    known = patterns(decimal)

    def like(pattern: str) -> Column:
        return text.rlike(rf"\A(?:{pattern})\z")

    plain = F.translate(text, "/", "-")
    fits = text.try_cast("bigint").isNotNull()
    number = (
        F.when(like(known.integer), F.when(fits, F.lit(INTEGER)).otherwise(F.lit(LONG)))
        .when(like(known.zeros), F.lit(ZEROS))
        .when(like(known.whole), F.lit(WHOLE))
        .when(like(known.number), F.lit(DOUBLE))
    )
    date = like(known.date) & plain.try_cast("date").isNotNull()
    kind = (
        (number.when(date, F.lit(DATE)) if numbers else F.when(date, F.lit(DATE)))
        .when(like(known.timestamp) & is_moment(text), F.lit(TIMESTAMP))
        .when(like(known.grouped), F.lit(GROUPED if numbers else TEXT))
        .when(like(known.percent), F.lit(PERCENT))
        .when(like(known.currency), F.concat(F.lit(CURRENCY), F.regexp_extract(text, UNIT, 0)))
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
    """Return a column's values as texts, and their kinds; null for those that are texts already."""
    if isinstance(found, T.StringType):
        text = F.trim(column, F.lit(BLANKS))
        return F.when(text != "", text), F.lit(None).cast("string")
    if isinstance(found, (T.DoubleType, T.FloatType)):
        value, whole = _whole_text(column + F.lit(0.0), found)
        text = F.coalesce(whole, value.cast("string"))
        kind = F.when(whole.isNull(), F.lit(DOUBLE)).otherwise(F.lit(WHOLE))
        # pandas divides by zero to an infinite number, which its CSV has as a text.
        infinite = {infinity_of(marker): marker for marker in reversed(markers)}
        for number, marker in infinite.items():
            if number is not None:
                text = F.when(value == number, F.lit(marker)).otherwise(text)
                kind = F.when(value == number, F.lit(MARKED + marker)).otherwise(kind)
        return text, kind
    if isinstance(found, T.DecimalType):
        _, whole = _whole_text(column, found)
        fits = whole.try_cast("bigint").isNotNull()
        whole_kind = F.lit(INTEGER if found.scale == 0 else WHOLE)
        return F.coalesce(whole, column.cast("string")), F.when(fits, whole_kind).otherwise(DOUBLE)
    own = next(kind for known, kind in TYPED if isinstance(found, known))
    return column.cast("string"), F.lit(own)


def _whole_text(column: Column, found: T.DataType) -> tuple[Column, Column]:
    """Return the values of floats or decimals, null for NaN, and the texts of those that are whole."""
    if isinstance(found, T.DecimalType):
        whole = F.when(F.floor(column) == column, column.cast(T.DecimalType(38, 0)))
        return column, whole.cast("string")
    given = F.when(~F.isnan(column), column.cast("double"))
    fits = (given > -(2.0**63)) & (given < 2.0**63) & (F.rint(given) == given)
    return given, F.when(fits, given.try_cast("bigint")).cast("string")


def count(cells: DataFrame, names: Sequence[str], decimal: str, is_typed: bool) -> list[Facts]:
    """Count in one aggregation, hence one pass over the rows; memory is bounded for each column.

    The values are grouped by their column's place, so the plan is as small for 500 columns as for one.

    Args:
        cells: The values: PLACE, VALUE and KIND.
        names: The columns' names in the data set.
        decimal: The decimal mark of numbers.
        is_typed: Whether the file says the types.
    """
    spark = cells.sparkSession
    before = spark.conf.get(IN_MEMORY)
    # By default Spark sorts all values if there are more than 128 groups.
    spark.conf.set(IN_MEMORY, str(max(len(names) + 1, int(before or 0))))
    try:
        found = cells.groupBy(PLACE).agg(*_counts(decimal)).withColumn(VALUES, _few())
        rows = {row[PLACE]: row for row in found.collect()}
    finally:
        spark.conf.set(IN_MEMORY, str(before))
    return [
        _facts(name, rows[place], is_typed) if place in rows else Facts(name, 0, {}, values={})
        for place, name in enumerate(names)
    ]


def _counts(decimal: str) -> list[Column]:
    text, kind = F.col(VALUE), F.col(KIND)
    point = F.translate(text, ",", ".") if decimal == "," else text
    number = F.when(kind.isin(INTEGER, WHOLE, DOUBLE), point.try_cast("double"))
    no_code = F.when(~number.isin(*CODES), number)
    is_text = kind.isin(TEXT, CODE, BOOLEAN)
    spaces = F.length(text) - F.length(F.replace(text, F.lit(" "), F.lit("")))
    top = f"approx_top_k({{0}}, {{1}}, {{2}}) FILTER (WHERE {VALUE} IS NOT NULL)"
    return [
        F.count(F.lit(1)).alias("rows"),
        F.expr(top.format(KIND, KINDS * 3 // 4, KINDS)).alias("kinds"),
        F.expr(top.format(f"left({VALUE}, {LONGEST})", FEW, TRACKED)).alias(VALUES),
        F.hll_sketch_estimate(F.hll_sketch_agg(text, REGISTERS)).alias("estimate"),
        F.avg(F.length(text)).alias("length"),
        F.max(F.length(text)).alias("longest"),
        F.avg(spaces + 1).alias("words"),
        F.min(number).alias("least"),
        F.max(number).alias("most"),
        F.struct(F.min(no_code), F.max(no_code)).alias("between"),
        F.min(F.when(is_text, F.left(text, F.lit(LONGEST)))).alias("example"),
    ]


def _few() -> Column:
    """Return the values with their counts, or null if there are more than FEW or a cut one."""
    return F.when((F.col("estimate") <= FEW) & (F.col("longest") <= LONGEST), F.col(VALUES))


def _facts(name: str, found: Row, is_typed: bool) -> Facts:
    kinds = {one["item"]: one["count"] for one in found["kinds"] or ()}
    values = found[VALUES] if kinds else ()
    return Facts(
        name=name,
        rows=found["rows"],
        kinds=_without_units(kinds),
        units=frozenset(unit for kind in kinds if (unit := _unit(kind))),
        markers={kind[len(MARKED) :]: n for kind, n in kinds.items() if kind.startswith(MARKED)},
        values=None if values is None else {one["item"]: one["count"] for one in values},
        estimate=found["estimate"] or 0,
        length=found["length"] or 0.0,
        words=found["words"] or 1.0,
        least=found["least"],
        most=found["most"],
        between=None if None in found["between"] else tuple(found["between"]),
        example=found["example"],
        is_typed=is_typed,
    )


def kinds_as_counted(facts: Facts) -> frozenset[str]:
    """Return the kinds of a column's values as `kind_of_text` tells them, with the currencies."""
    return frozenset(facts.kinds) | {CURRENCY + unit for unit in facts.units}


def _without_units(kinds: Mapping[str, int]) -> dict[str, int]:
    found = Counter[str]()
    for kind, n in kinds.items():
        if not kind.startswith(MARKED):
            found[kind.removesuffix(_unit(kind))] += n
    return dict(found)


def _unit(kind: str) -> str:
    return kind.removeprefix(CURRENCY) if kind.startswith(CURRENCY) else ""


def markers_of(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the texts to count as possible markers: those that are given, else all that are known."""
    return MARKERS if given is None else tuple(given)
