"""The kinds of values, what stands for a missing one, and how a value is shown in a message."""

INTEGER, DOUBLE, TEXT = "integer", "double", "string"
PERCENT, CURRENCY, BOOLEAN, DATE, TIMESTAMP = "percent", "currency", "boolean", "date", "timestamp"

EXPECTED = {
    INTEGER: "a whole number",
    DOUBLE: "a finite number",
    PERCENT: "a percentage such as 12.5%",
    CURRENCY: "an amount such as $1,200.50",
    BOOLEAN: "true or false",
    DATE: "a date such as 2024-12-31",
    TIMESTAMP: "a timestamp such as 2024-12-31 23:59:59",
    TEXT: "text",
}


def expected(kind: str, unit: str = "") -> str:
    """Return what a column of a kind has, for a message; of amounts, in which currency, if known."""
    return f"an amount in {unit}" if unit else EXPECTED[kind]


# ONNX has no null. No category is empty, so an empty text is scored as an unseen category, just as the
# Spark pipeline treats a null. The smallest 64-bit integer, which is never a valid value, and NaN do
# the same for numbers. The smallest integer is also how NumPy stores a date that is missing.
NO_TEXT, NO_INTEGER, NO_NUMBER = "", -(2**63), float("nan")
LEAST, MOST = -(2**63) + 1, 2**63 - 1
SHOWN = 60

# Stripped from both ends of a text. Web pages pad numbers with spaces that do not break a line.
BLANKS = " \t\u00a0\u202f"


def shown(value: object) -> str:
    """Format a value for a message: on one line, and truncated if long."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
