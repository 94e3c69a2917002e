"""Files of records read in place on Spark, by the rules of `common/data/reading`."""

from common.data.records.csv_files import RECORD
from common.data.records.table import Table, first_problem, open_table

__all__ = ["RECORD", "Table", "first_problem", "open_table"]
