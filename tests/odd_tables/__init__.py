"""Small tables, each with an oddity that files have in practice, and inputs that must be refused.

All are made by a seeded generator: the same name gives the same bytes. A label depends on the columns
that are odd, so that a table which is read wrongly scores worse.
"""

from . import bad, bad_files, bad_settings, files, gaps, kinds, labels, names, scarce, scikit_learn  # noqa: F401
from .forms import Csv, Form, Parquet
from .table import BAD_INPUTS, BINARY, MULTICLASS, ODD_TABLES, REGRESSION, BadInput, OddTable

__all__ = [
    "BAD_INPUTS",
    "BINARY",
    "MULTICLASS",
    "ODD_TABLES",
    "REGRESSION",
    "BadInput",
    "Csv",
    "Form",
    "OddTable",
    "Parquet",
]
