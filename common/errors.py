"""The error for mistakes that the user can fix, and one-line summaries of other errors."""

import errno
import re
from collections.abc import Iterator

# What the system, the JVM (by the system's words) and SQLite say of a full disk.
FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full")


class UserError(ValueError):
    """Invalid input from the user: the message names the input, its value and what is valid.

    A step prints the message as one line and exits with code 1. Any other exception is a bug in the
    project and keeps its traceback.
    """


class StepFailed(UserError):
    """A step that another one needs ended with an error, which it has shown itself."""


def first_line(error: Exception) -> str:
    """Return the first line of a library error's message; for a Java error, of the Java exception."""
    cause = getattr(error, "java_exception", None)
    return str(cause or error).strip().partition("\n")[0]


def first_and_last(error: Exception) -> str:
    """Return the first line of a library error's message, and of its root cause if that says more."""
    first, last = first_line(error), last_cause(error)
    return first if last in first or first in last else f"{first}: {last}"


def full_disk(error: BaseException) -> str | None:
    """Return what an error says of a disk that is full, in one line; None if it is another error.

    Libraries wrap the system's error, and the JVM's comes as text.
    """
    for one in chain_of(error):
        if isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT):
            # What fails of a copy is the write of the second file.
            place = one.filename2 or one.filename
            return str(one.strerror) + (f": {place}" if place else "")
        text = str(one)
        found = next((words for words in FULL if words in text), None)
        if found is not None:
            return found
    return None


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, what it was raised from or while handling, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def last_cause(error: Exception) -> str:
    """Return the first line of the root cause of a Spark error.

    The error that ends a job contains the failed task's error as text, after the task's address.
    """
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    text = str(cause.getMessage() if cause is not None else error).strip().splitlines()[0]
    return re.sub(r"^Job aborted due to stage failure: .* executor [^)]*\): ", "", text)
