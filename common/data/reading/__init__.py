"""How a record is read: the one set of rules of training, of batch scoring and of the service.

Pure Python, pandas and NumPy: a copy is kept with every portable model, which so goes on by the rules
that it was trained by. Spark does the same by columns (`common/data/records`), and
`tests/one_reading` holds both to one table of files.
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
