"""Categories of a scored file for which the model has no feature of their own."""

from collections.abc import Mapping

from common.scoring.alarms import Strange, never_seen
from common.scoring.kept_model import KeptModel
from common.scoring.row_counts import RowCounts


def found_unseen(counts: RowCounts, model: KeptModel, rows: int) -> dict[str, Strange]:
    """Return the rows with such a category, by column, from the counts of this many rows."""
    return {
        name: Strange(counts.unseen.get(name, 0), rows, counts.examples.get(name))
        for name in model.categories
    }


# Of fewer rows, all may have rare categories.
MANY = 20


def is_strange(name: str, unseen: Strange, model: KeptModel) -> bool:
    """Return whether unseen categories say that the file may not be of the model's kind.

    Of a column with only its most frequent categories, most rows may have others; many rows, not all.
    """
    return name not in model.capped or unseen.rows == unseen.of >= MANY


def shared_features(unseen: Mapping[str, Strange], model: KeptModel) -> list[str]:
    """Say how many rows share the feature of all others in the columns that have only some categories."""
    return [
        f"column {name!r}: {found.rows:,} of {found.of:,} rows have none of its "
        f"{len(model.categories[name]):,} most frequent categories, and share the feature of all others"
        for name, found in unseen.items()
        if name in model.capped and found.rows and not is_strange(name, found, model)
    ]


def unseen_features(unseen: Mapping[str, Strange], model: KeptModel) -> list[str]:
    """Say how many rows have a category that training did not see, where that is no warning."""
    return [
        f"column {name!r}: {never_seen(found)}"
        for name, found in unseen.items()
        if name not in model.capped and found.rows and not found.is_most
    ]
