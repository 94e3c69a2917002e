"""Records of CSV that span lines: quoted fields contain line breaks."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.data.reading import Form, grammar
from common.data.records.files import UnreadableFile

FILE, RECORD, LINE = "__file", "__record", "__line"
VALUE, BLOCK, PLACE = "__value", "__block", "__place"


def is_blank(value: Column, form: Form) -> Column:
    """Return whether a line has nothing but blanks."""
    return F.trim(value, F.lit(grammar(form.separator).blanks)) == ""


def records_over_lines(lines: DataFrame, has_header: bool, form: Form) -> DataFrame:
    """Join lines into records; a record continues as long as its lines end inside quotes.

    The text of a line alone determines how it maps its state at the beginning (inside quotes or not) to
    its state at the end: always inside, never inside, unchanged, or inverted. So the state after a line
    follows from the last line whose end state is fixed, and the number of inverting lines since.
    """
    rules = grammar(form.separator)
    value, order = F.col(VALUE), Window.partitionBy(FILE).orderBy(BLOCK, PLACE)
    quoted = value.contains('"')
    known = lines.select(
        *(FILE, VALUE, BLOCK, PLACE),
        (quoted & value.rlike(rules.opens)).alias("opens"),
        (~quoted | value.rlike(rules.goes_on)).alias("goes_on"),
    )
    turns = F.col("opens") & ~F.col("goes_on")
    counted = known.select(
        "*", F.row_number().over(order).alias(LINE), F.sum(turns.cast("int")).over(order).alias("turns")
    )
    always = F.when(F.col("opens") == F.col("goes_on"), F.struct("opens", "turns"))
    last = F.last(always, ignorenulls=True).over(order)
    ends = counted.select("*", last.alias("last"))
    since = F.col("turns") - F.coalesce(F.col("last.turns"), F.lit(0))
    within = F.coalesce(F.col("last.opens"), F.lit(False)) != (since % 2 == 1)
    states = ends.select(FILE, VALUE, BLOCK, PLACE, LINE, within.alias("after"))
    before = F.coalesce(F.lag("after").over(order), F.lit(False))
    begun = states.select(FILE, VALUE, BLOCK, PLACE, LINE, "after", before.alias("before"))
    begun = begun.where(F.col("before") | ~is_blank(value, form))
    _check_closed(begun)
    number = F.sum((~F.col("before")).cast("int")).over(order)
    parts = begun.select(FILE, VALUE, LINE, number.alias("number"))
    if has_header:
        parts = parts.where(F.col("number") > 1)
    whole = F.array_sort(F.collect_list(F.struct(LINE, VALUE)))
    return parts.groupBy(FILE, "number").agg(
        F.array_join(F.transform(whole, lambda part: part[VALUE]), "\n").alias(RECORD),
        F.min(LINE).alias(LINE),
    )


def _check_closed(begun: DataFrame) -> None:
    ends = begun.groupBy(FILE).agg(
        F.max_by("after", LINE).alias("open"),
        F.max(F.when(~F.col("before"), F.col(LINE))).alias("begins"),
    )
    for file in ends.where("open").orderBy(FILE).take(1):
        raise UnreadableFile(file[FILE], f"line {file['begins']} opens a quote that is not closed")
