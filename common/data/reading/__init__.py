"""The rules for reading a record, shared by training, batch scoring and the service.

They are written in pure Python, pandas and NumPy. A copy is stored with every portable model, so a model
keeps the rules that it was trained with. `common/data/records` applies the same rules column by column
on Spark, and `tests/one_reading` tests both against one table of files.
"""

from .csv_text import (
    BREAK,
    NOT_QUOTED,
    first_fields,
    grammar,
    read_csv,
    read_records,
    split_fields,
    split_records,
)
from .encoding import UTF8, check_encoding, decode, encoding_name, high_characters, not_encoded
from .form import Form, Header, Unreadable, find_columns, find_named
from .values import (
    DOUBLE,
    FALSE,
    INTEGER,
    LEAST,
    MOST,
    NO_INTEGER,
    NO_NUMBER,
    NO_TEXT,
    NUMBER,
    TEXT,
    TRUE,
    Rows,
    plain_text,
    read_rows,
    refusal,
    shown,
)

__all__ = [
    "BREAK",
    "DOUBLE",
    "FALSE",
    "INTEGER",
    "LEAST",
    "MOST",
    "NOT_QUOTED",
    "NO_INTEGER",
    "NO_NUMBER",
    "NO_TEXT",
    "NUMBER",
    "TEXT",
    "TRUE",
    "UTF8",
    "Form",
    "Header",
    "Rows",
    "Unreadable",
    "check_encoding",
    "decode",
    "encoding_name",
    "find_columns",
    "find_named",
    "first_fields",
    "grammar",
    "high_characters",
    "not_encoded",
    "plain_text",
    "read_csv",
    "read_records",
    "read_rows",
    "refusal",
    "shown",
    "split_fields",
    "split_records",
]
