"""Infer the spec of a table: how its file is written, what each column is, and what is predicted.

`dialect` looks at the beginning of a CSV file; `tally` counts what all values look like, in one pass on
Spark. From these counts alone, `decide` and `label` decide without Spark.
"""

from common.data.infer.doubt import surprise
from common.data.infer.find import Found, find_again, find_given, find_spec
from common.data.infer.shown import shown_spec, write_spec
from common.data.infer.table import Inferred, infer, infer_table

__all__ = [
    "Found",
    "Inferred",
    "find_again",
    "find_given",
    "find_spec",
    "infer",
    "infer_table",
    "shown_spec",
    "surprise",
    "write_spec",
]
