"""Files of records on Spark, read by the rules of `common/reading` where they lie."""

from common.records.csv_files import RECORD
from common.records.table import Table, first_problem, open_table

__all__ = ["RECORD", "Table", "first_problem", "open_table"]
