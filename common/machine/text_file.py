"""Files of the user's that are text."""

from pathlib import Path

from common.errors import UserError, first_line


def read_text_file(path: Path, what: str) -> str:
    """Read a file of UTF-8, whether or not it begins with a byte order mark.

    Args:
        path: The file.
        what: The parameter and its value, for the error.

    Raises:
        UserError: It cannot be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{what} is not UTF-8 (at byte {error.start}): save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{what} cannot be read: {first_line(error)}") from None
