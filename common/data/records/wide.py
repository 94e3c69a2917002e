"""How Spark plans tables of many number columns."""

from pyspark.sql import SparkSession

# With more number columns Spark would generate a method that is too long for Java (from about twenty
# columns on), and would print it all, with a trace, before falling back.
MOST_NUMBERS = 8
# In CSV each number adds some 2,100 bytes to a method, and each text 400. Java never compiles one of more
# than 8,000: records of six numbers and eight texts took 1.5 times as long as without whole-stage code.
MOST_IN_CSV = 1


def plan_wide(spark: SparkSession, numbers: int, most: int = MOST_NUMBERS) -> None:
    """Have the session plan its queries without whole-stage code if a table has many number columns.

    The setting stays, since every later query over the same table needs it.

    Args:
        spark: The session.
        numbers: Number of the table's columns that are no text.
        most: The largest number of them with whole-stage code.
    """
    if numbers > most:
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
