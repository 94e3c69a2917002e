"""Encodings of files: UTF-8, or one of a byte a character in which ASCII is itself."""

import codecs
import re

from .form import Unreadable

UTF8 = "utf-8"
BREAKS = rb"\r\n|\n|\r"


def encoding_name(encoding: str) -> str:
    """Return Python's name of an encoding."""
    return codecs.lookup(encoding).name


def check_encoding(encoding: str) -> None:
    """Refuse an encoding in which lines and separators cannot be told by their bytes.

    Raises:
        Unreadable: it is unknown, or neither UTF-8 nor of a byte a character.
    """
    try:
        if encoding_name(encoding) != UTF8:
            high_characters(encoding)
    except (LookupError, TypeError, ValueError):
        raise Unreadable(
            f"encoding must be utf-8 or one of a byte a character, as latin-1, got {encoding!r}"
        ) from None


def high_characters(encoding: str) -> list[str | None]:
    """Return the characters of the bytes from 128 on; None where a byte is none.

    Raises:
        ValueError: it is not of a byte a character, or ASCII in it is something else.
    """
    found: list[str | None] = []
    for number in range(256):
        try:
            # Of more bytes it would wait for the others.
            character = codecs.getincrementaldecoder(encoding)().decode(bytes([number]))
        except UnicodeDecodeError:
            character = None
        is_ascii = number < 128
        if (is_ascii and character != chr(number)) or (character is not None and len(character) != 1):
            raise ValueError(f"{encoding} is not of a byte a character")
        found.append(character)
    return found[128:]


def decode(content: bytes, encoding: str) -> str:
    """Return the text that bytes are.

    Raises:
        Unreadable: they are not in the encoding: the first line that is not is named.
    """
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(re.findall(BREAKS, content[: error.start])) + 1
        raise Unreadable(not_encoded(line, encoding)) from None


def not_encoded(line: int, encoding: str) -> str:
    """Say which line is not in the encoding that a file should have."""
    return f"line {line} is not {encoding_name(encoding)}: give the encoding that the file has"
