"""Data sets: what they are (`spec`), where their file is (`fetch`), and their rows (`read`)."""

from common.datasets.fetch import Location, locate
from common.datasets.read import read, read_source
from common.datasets.spec import Column, DatasetSpec, load_spec, parse_spec

__all__ = [
    "Column",
    "DatasetSpec",
    "Location",
    "load_spec",
    "locate",
    "parse_spec",
    "read",
    "read_source",
]
