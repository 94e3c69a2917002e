"""How Spark plans tables of many columns."""

from pyspark.sql import SparkSession

# With more number columns, or more columns in all, Spark would generate a method that is too long for
# Java (from about twenty or eighty on), and would print it all, with a trace, before falling back.
MOST_NUMBERS, MOST_COLUMNS = 8, 40


def plan_wide(spark: SparkSession, numbers: int, columns: int) -> None:
    """Have the session plan its queries without whole-stage code if a table has many columns.

    The setting stays, since every later query over the same table needs it.

    Args:
        spark: The session.
        numbers: Number of the table's columns that are no text.
        columns: Number of all its columns.
    """
    if numbers > MOST_NUMBERS or columns > MOST_COLUMNS:
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
