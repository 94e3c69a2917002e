"""Files of records on Spark, read by the rules of `common/data/reading` where they lie."""

from common.data.records.csv_files import RECORD
from common.data.records.table import Table, first_problem, open_table

__all__ = ["RECORD", "Table", "first_problem", "open_table"]
