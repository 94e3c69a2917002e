"""Columns of a scored file that lack values which most training rows had."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.data.records import WRONG
from common.data.row_hash import quoted
from common.data.shares import percent
from common.learning.prepare import MISSING_TEXT
from common.scoring.kept_model import KeptModel
from common.scoring.records import Records

# Where fewer values are to be expected, their absence may be chance.
EXPECTED = 20


def count_lacking(records: Records, model: KeptModel) -> list[Column]:
    """Count the good rows without a value, by column: aggregates over rows with a column WRONG.

    Args:
        records: The records of the file.
        model: The model.
    """
    return [
        F.count_if(F.col(WRONG).isNull() & quoted(records.table.columns[name]).isNull()).alias(
            f"lacking{place}"
        )
        for place, name in enumerate(_known(model))
    ]


def lacking_values(counts: Mapping[str, Any], model: KeptModel, rows: int) -> tuple[str, ...]:
    """Say which columns have values in fewer than half as many rows as in training, one line each.

    Args:
        counts: What `count_lacking` counted.
        model: The model.
        rows: Number of rows scored.
    """
    return tuple(
        f"column {name!r}: {counts[f'lacking{place}']:,} of {rows:,} rows have no value; "
        f"in the model's data set it was {percent(model.missing[name])} of the rows"
        for place, name in enumerate(_known(model))
        if 2 * (rows - counts[f"lacking{place}"]) < (1 - model.missing[name]) * rows >= EXPECTED
    )


def _known(model: KeptModel) -> list[str]:
    """Return the columns that may lack values; a missing category that is unseen is told as such."""
    return [
        name
        for name in model.missing
        if name not in model.categories or MISSING_TEXT in model.categories[name]
    ]
