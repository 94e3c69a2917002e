"""Columns of a scored file that lack values which most training rows had."""

from common.data.shares import percent
from common.learning.prepare import MISSING_TEXT
from common.scoring.kept_model import KeptModel
from common.scoring.row_counts import RowCounts

# Where fewer values are to be expected, their absence may be chance.
EXPECTED = 20


def may_lack(model: KeptModel) -> list[str]:
    """Return the columns that may lack values; a missing category that is unseen is told as such."""
    return [
        name
        for name in model.missing
        if name not in model.categories or MISSING_TEXT in model.categories[name]
    ]


def lacking_values(counts: RowCounts, model: KeptModel, rows: int) -> tuple[str, ...]:
    """Say which columns have values in fewer than half as many rows as in training, one line each.

    Args:
        counts: The counts of the rows.
        model: The model.
        rows: Number of rows scored.
    """
    return tuple(
        f"column {name!r}: {lacking:,} of {rows:,} rows have no value; in the model's data set it was "
        f"{percent(model.missing[name])} of the rows"
        for name, lacking in counts.lacking.items()
        if 2 * (rows - lacking) < (1 - model.missing[name]) * rows >= EXPECTED
    )
