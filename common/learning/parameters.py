"""The values that a learner's parameters may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import UserError

# A candidate: values by parameter name.
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """The permitted values of a numeric parameter: one type, from low to high inclusive.

    Attributes:
        type: int or float.
        low: The lowest value.
        high: The highest value.
        unlimited: Whether `low` stands for no limit; the values above it are limits, and no neighbours.
    """

    type: type
    low: float
    high: float
    unlimited: bool = False

    @property
    def least(self) -> float:
        """The lowest value that is not apart from the others."""
        return self.low + self.unlimited

    def check(self, name: str, value: Any) -> int | float:
        """Return the value converted to the range's type.

        Raises:
            UserError: The value is not a number of that type, or is out of range.
        """
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or (self.type is int and not whole) or not self.low <= value <= self.high:
            kind = "a whole number" if self.type is int else "a number"
            raise UserError(f"{name} must be {kind} from {self.low} to {self.high}, got {value!r}")
        return self.type(value)

    def parse(self, text: str) -> int | float:
        """Parse a value from text."""
        return self.type(text)


@dataclass(frozen=True)
class Choice:
    """The permitted values of a categorical parameter."""

    values: tuple[str, ...]

    def check(self, name: str, value: Any) -> str:
        """Return the value.

        Raises:
            UserError: The value is not permitted.
        """
        if value not in self.values:
            raise UserError(f"{name} must be one of {', '.join(self.values)}, got {value!r}")
        return str(value)

    def parse(self, text: str) -> str:
        """Parse a value from text."""
        return text
