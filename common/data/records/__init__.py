"""Files of records read in place on Spark, by the rules of `common/data/reading`."""

from common.data.records.csv_files import RECORD
from common.data.records.table import Table, all_of, first_problem, open_table
from common.data.records.wide import plan_wide

__all__ = ["RECORD", "Table", "all_of", "first_problem", "open_table", "plan_wide"]
