"""Categories of a scored file for which the model has no feature of their own."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.data.records import WRONG
from common.data.row_hash import quoted_name
from common.learning.prepare import MISSING_TEXT
from common.scoring.alarms import Strange, never_seen
from common.scoring.kept_model import KeptModel
from common.scoring.records import Records


def count_unseen(records: Records, model: KeptModel) -> list[Column]:
    """Count the good rows with such a category, and take an example, by column.

    Args:
        records: The records of the file.
        model: The model.

    Returns:
        Aggregates over rows with a column WRONG, where the columns that the model takes have its types.
    """
    found = []
    for place, (name, categories) in enumerate(model.categories.items()):
        column = quoted_name(records.table.columns[name])
        # As SQL text, Spark parses a hundred thousand categories in a second; as columns, in a minute.
        listed = ", ".join("'" + c.replace("\\", "\\\\").replace("'", "\\'") + "'" for c in categories)
        text = f"cast({column} as string)"
        known = F.expr(f"coalesce({text}, '{MISSING_TEXT}') in ({listed})" if categories else "false")
        is_unseen = F.col(WRONG).isNull() & ~known
        found.append(F.count_if(is_unseen).alias(f"unseen{place}"))
        found.append(F.min(F.when(is_unseen, F.expr(text))).alias(f"example{place}"))
    return found


def found_unseen(counts: Mapping[str, Any], model: KeptModel, rows: int) -> dict[str, Strange]:
    """Return the rows with such a category, by column, from what `count_unseen` counted."""
    return {
        name: Strange(counts[f"unseen{place}"], rows, counts[f"example{place}"])
        for place, name in enumerate(model.categories)
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
