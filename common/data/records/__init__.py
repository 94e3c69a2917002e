"""Files of records read in place on Spark, by the rules of `common/data/reading`."""

from common.data.records.at_once import Then, made_of_rows, values_read, why_bad
from common.data.records.over_lines import RECORD
from common.data.records.table import (
    LEARNT,
    OWN,
    SCORED,
    WRONG,
    Table,
    all_of,
    first_problem,
    open_table,
    with_column_read,
)
from common.data.records.wide import plan_wide

__all__ = [
    "LEARNT",
    "OWN",
    "RECORD",
    "SCORED",
    "WRONG",
    "Table",
    "Then",
    "all_of",
    "first_problem",
    "made_of_rows",
    "open_table",
    "plan_wide",
    "values_read",
    "why_bad",
    "with_column_read",
]
