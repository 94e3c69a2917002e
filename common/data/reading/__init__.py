"""The rules for reading a record, shared by training, batch scoring and the service.

They are written in pure Python, pandas and NumPy. A copy is stored with every portable model, so a model
keeps the rules that it was trained with. On Spark `common/data/records` splits files into records, and
workers read batches of them by these rules.
"""

from .cells import boolean_text, plain_text
from .csv_text import (
    BREAK,
    column_of_texts,
    first_fields,
    grammar,
    read_csv,
    read_records,
    split_fields,
    split_records,
)
from .encoding import UTF8, check_encoding, decode, encoding_name, high_characters, not_encoded
from .form import Form, Unreadable
from .kinds import (
    BLANKS,
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    LEAST,
    MOST,
    NO_INTEGER,
    NO_NUMBER,
    NO_TEXT,
    PERCENT,
    TEXT,
    TIMESTAMP,
    shown,
)
from .moments import DAY, FIRST, LAST, MINUTE, MOMENT
from .numbers import NUMBER, infinity_of, unit_of
from .places import (
    Header,
    find_column,
    find_columns,
    find_keys,
    find_named,
    tells_apart,
    unique_names,
)
from .values import OWN, Rows, is_missing, own_named, read_rows, refusal

__all__ = [
    "BLANKS",
    "BOOLEAN",
    "BREAK",
    "CURRENCY",
    "DATE",
    "DAY",
    "DOUBLE",
    "FIRST",
    "INTEGER",
    "LAST",
    "LEAST",
    "MINUTE",
    "MOMENT",
    "MOST",
    "NO_INTEGER",
    "NO_NUMBER",
    "NO_TEXT",
    "NUMBER",
    "OWN",
    "PERCENT",
    "TEXT",
    "TIMESTAMP",
    "UTF8",
    "Form",
    "Header",
    "Rows",
    "Unreadable",
    "boolean_text",
    "check_encoding",
    "column_of_texts",
    "decode",
    "encoding_name",
    "find_column",
    "find_columns",
    "find_keys",
    "find_named",
    "first_fields",
    "grammar",
    "high_characters",
    "infinity_of",
    "is_missing",
    "not_encoded",
    "own_named",
    "plain_text",
    "read_csv",
    "read_records",
    "read_rows",
    "refusal",
    "shown",
    "split_fields",
    "split_records",
    "tells_apart",
    "unique_names",
    "unit_of",
]
