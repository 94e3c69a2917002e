"""What was counted of a column, on which all decisions rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from common.data.infer.patterns import CODE, LETTERS, MARKERS, SAFE
from common.data.reading import BOOLEAN, TEXT
from common.data.sketches import ESTIMATE_ERROR

TEXTS = frozenset({TEXT, CODE, BOOLEAN})
# Numbers that may say that there is none.
CODES = tuple(float(sign * (10**digits - 1)) for sign in (-1, 1) for digits in range(1, 8))


@dataclass(frozen=True)
class Facts:
    """Counts of a column's values over all rows.

    Attributes:
        name: The column's name.
        rows: Number of rows.
        kinds: Number of values of each kind (see `patterns`), markers of missing values not among them.
        markers: Number of values that are each a possible marker of a missing value.
        values: Number of rows of each value, if there are few; None if there are more.
        estimate: Estimated number of distinct values, for when there are more.
        length: Average number of characters.
        words: Average number of words.
        least: The smallest number; None if there are no numbers.
        most: The largest number.
        between: The smallest and the largest of the numbers that are not in CODES.
        example: A value that is text; None if there is none.
        units: Currencies of its amounts.
        is_typed: Whether the file says the type, as Parquet does.
    """

    name: str
    rows: int
    kinds: Mapping[str, int]
    markers: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, int] | None = None
    estimate: int = 0
    length: float = 0.0
    words: float = 1.0
    least: float | None = None
    most: float | None = None
    between: tuple[float, float] | None = None
    example: str | None = None
    units: frozenset[str] = frozenset()
    is_typed: bool = False

    @property
    def given(self) -> int:
        """Number of rows that have a value."""
        return sum(self.kinds.values())

    @property
    def missing(self) -> float:
        """Share of the rows that have no value."""
        return 1 - self.given / self.rows if self.rows else 0.0

    @property
    def distinct(self) -> int:
        """Number of distinct values; an estimate if there are many."""
        return self.estimate if self.values is None else len(self.values)

    @property
    def is_unique(self) -> bool:
        """Whether no value occurs twice, as far as an estimate can tell."""
        if self.values is not None:
            return bool(self.values) and len(self.values) == self.given
        return self.estimate >= (1 - 3 * ESTIMATE_ERROR) * self.given

    @property
    def is_textual(self) -> bool:
        """Whether some values are texts, or there are none but markers."""
        return not self.kinds or bool(TEXTS & self.kinds.keys())

    def without(self, markers: Iterable[str]) -> "Facts":
        """Return the facts with these markers as missing, and the other possible ones as texts."""
        chosen = set(markers)
        texts = {text: count for text, count in self.markers.items() if text not in chosen}
        kinds = dict(self.kinds)
        if texts:
            kinds[TEXT] = kinds.get(TEXT, 0) + sum(texts.values())
        values = self.values
        if values is not None:
            values = {text: count for text, count in values.items() if text not in chosen}
        gone = len(self.markers) - len(texts)
        example = self.example if self.example is not None else next(iter(texts), None)
        estimate = max(self.estimate - gone, 0)
        return replace(self, kinds=kinds, markers={}, values=values, estimate=estimate, example=example)


def choose_markers(columns: Iterable[Facts]) -> tuple[str, ...]:
    """Return the texts that mark a missing value somewhere in a table.

    A column whose other values are all numbers or dates shows any marker for what it is; among texts only
    the unmistakable ones count. A marker of one column is one of all, as it is for the readers.
    """
    found: set[str] = set()
    for column in columns:
        for marker in column.markers:
            is_word = marker not in SAFE or (marker == LETTERS and _is_coded(column))
            if not (column.is_textual and is_word):
                found.add(marker)
    return tuple(marker for marker in MARKERS if marker in found)


def _is_coded(column: Facts) -> bool:
    """Whether most values are two capital letters, of a country or a state."""
    return 2 * column.kinds.get(CODE, 0) > column.given
