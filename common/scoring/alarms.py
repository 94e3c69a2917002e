"""What of a scored file must not be overlooked: it was scored, but most of it means little."""

from collections.abc import Mapping
from dataclasses import dataclass

from common.data.reading import shown


@dataclass(frozen=True)
class Strange:
    """Values of a column that are not known.

    Attributes:
        rows: how many have one.
        of: how many were looked at.
        example: one of them; None: all of these are null.
    """

    rows: int
    of: int
    example: str | None

    @property
    def is_most(self) -> bool:
        """Whether they are more than half."""
        return 2 * self.rows > self.of


def alarms(
    rows: int, rejected: int, reason: str, unseen: Mapping[str, Strange], label: str, unknown: Strange
) -> tuple[str, ...]:
    """Return what must not be overlooked, a line each.

    Args:
        rows: of the file.
        rejected: rows that could not be scored.
        reason: what is wrong with one of these.
        unseen: by category column, the scored rows whose category was not seen in training.
        label: name of the column of the true label.
        unknown: scored rows that have a label that is none of the data set's.
    """
    found = []
    if 2 * rejected > rows:
        found.append(f"{rejected:,} of {rows:,} rows cannot be scored; the first: {reason}")
    for name, strange in unseen.items():
        if strange.is_most:
            as_what = "null" if strange.example is None else shown(strange.example)
            found.append(
                f"column {name!r}: {strange.rows:,} of {strange.of:,} rows have a category that was "
                f"never seen in training, as {as_what}"
            )
    if unknown.is_most:
        found.append(
            f"column {label!r}: {unknown.rows:,} of {unknown.of:,} labels are none of the data set's, as "
            f"{shown(unknown.example)}: the scores do not count them"
        )
    return tuple(found)
