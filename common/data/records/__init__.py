"""Files of records read in place on Spark, by the rules of `common/data/reading`."""

from common.data.records.at_once import (
    READ,
    Then,
    made_of_rows,
    values_of_fields,
    values_of_rows,
    values_read,
    why_bad,
)
from common.data.records.csv_files import RECORD
from common.data.records.table import Table, all_of, first_problem, open_table
from common.data.records.types import as_given, check_type
from common.data.records.wide import plan_wide

__all__ = [
    "READ",
    "RECORD",
    "Table",
    "Then",
    "all_of",
    "as_given",
    "check_type",
    "first_problem",
    "made_of_rows",
    "open_table",
    "plan_wide",
    "values_of_fields",
    "values_of_rows",
    "values_read",
    "why_bad",
]
