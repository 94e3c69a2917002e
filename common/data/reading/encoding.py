"""Encodings of files: UTF-8, or a single-byte encoding that is a superset of ASCII."""

import codecs
import re

from .form import Unreadable

UTF8 = "utf-8"
BREAKS = rb"\r\n|\n|\r"


def encoding_name(encoding: str) -> str:
    """Return Python's canonical name of an encoding."""
    return codecs.lookup(encoding).name


def check_encoding(encoding: str) -> None:
    """Reject an encoding in which lines and separators cannot be recognised by their bytes.

    Raises:
        Unreadable: The encoding is unknown, or is neither UTF-8 nor a single-byte superset of ASCII.
    """
    try:
        if encoding_name(encoding) != UTF8:
            high_characters(encoding)
    except (LookupError, TypeError, ValueError):
        raise Unreadable(
            f"encoding must be utf-8 or a single-byte encoding such as latin-1, got {encoding!r}"
        ) from None


def high_characters(encoding: str) -> list[str | None]:
    """Return the characters of the bytes 128 to 255; None where a byte has no character.

    Raises:
        ValueError: The encoding is not a single-byte superset of ASCII.
    """
    found: list[str | None] = []
    for number in range(256):
        try:
            # For a multi-byte sequence, an incremental decoder waits for the other bytes.
            character = codecs.getincrementaldecoder(encoding)().decode(bytes([number]))
        except UnicodeDecodeError:
            character = None
        is_ascii = number < 128
        if (is_ascii and character != chr(number)) or (character is not None and len(character) != 1):
            raise ValueError(f"{encoding} is not a single-byte superset of ASCII")
        found.append(character)
    return found[128:]


def decode(content: bytes, encoding: str) -> str:
    """Decode bytes to text.

    Raises:
        Unreadable: The bytes are not valid in the encoding; the message names the first invalid line.
    """
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(re.findall(BREAKS, content[: error.start])) + 1
        raise Unreadable(not_encoded(line, encoding)) from None


def not_encoded(line: int, encoding: str) -> str:
    """Return the message for a line that is not valid in the expected encoding."""
    return f"line {line} is not valid {encoding_name(encoding)}: give the file's encoding"
