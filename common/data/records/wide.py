"""How Spark plans tables of many number columns."""

from pyspark.sql import SparkSession

# With more number columns Spark would generate a method that is too long for Java (from about twenty
# columns on), and would print it all, with a trace, before falling back.
MOST_NUMBERS = 8


def plan_wide(spark: SparkSession, numbers: int) -> None:
    """Have the session plan its queries without whole-stage code if a table has many number columns.

    The setting stays, since every later query over the same table needs it.

    Args:
        spark: The session.
        numbers: Number of the table's columns that are no text.
    """
    if numbers > MOST_NUMBERS:
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
