"""Warnings about a scored file most of which could not be scored, or has scores that mean little."""

from collections.abc import Mapping
from dataclasses import dataclass

from common.data.reading import shown

# What a label should be, and in the plural.
LABEL = ("a label of the data set", "labels of the data set")
NUMBER = ("a number", "numbers")


@dataclass(frozen=True)
class Strange:
    """Unknown values in a column.

    Attributes:
        rows: Number of rows with an unknown value.
        of: Number of rows checked.
        example: One of the unknown values; None if all of them are null.
    """

    rows: int
    of: int
    example: str | None

    @property
    def is_most(self) -> bool:
        """Whether more than half of the rows have an unknown value."""
        return 2 * self.rows > self.of


def alarms(
    rows: int,
    rejected: int,
    reason: str,
    unseen: Mapping[str, Strange],
    label: str,
    unknown: Strange,
    known: tuple[str, str] = LABEL,
) -> tuple[str, ...]:
    """Return the warnings about a scored file, one line each.

    Args:
        rows: Number of rows in the file.
        rejected: Number of rows that could not be scored.
        reason: The reason for the first of the rejections.
        unseen: Scored rows whose category was not seen in training, by categorical column.
        label: Name of the true label's column.
        unknown: Scored rows whose label is not one of the data set's, or no number.
        known: LABEL or NUMBER.
    """
    found = []
    if 2 * rejected > rows:
        found.append(f"{rejected:,} of {rows:,} rows cannot be scored; the first: {reason}")
    for name, strange in unseen.items():
        if strange.is_most:
            found.append(f"column {name!r}: {never_seen(strange)}")
    if unknown.is_most:
        found.append(left_out(label, unknown, known))
    return tuple(found)


def never_seen(strange: Strange) -> str:
    """Say how many rows have a category that training did not see, and give one."""
    example = "null" if strange.example is None else shown(strange.example)
    how_many = f"{strange.rows:,} of {strange.of:,} rows {'has' if strange.rows == 1 else 'have'}"
    return f"{how_many} a category that was never seen in training, such as {example}"


def left_out(label: str, unknown: Strange, known: tuple[str, str]) -> str:
    """Say which labels of a file its scores leave out; see `alarms`."""
    one, several = known
    are, them = (f"is not {one}", "it") if unknown.rows == 1 else (f"are not {several}", "them")
    return (
        f"column {label!r}: {unknown.rows:,} of {unknown.of:,} values {are}, such as "
        f"{shown(unknown.example)}: the scores leave {them} out"
    )
