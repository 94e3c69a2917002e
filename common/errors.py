"""The one kind of error that is the user's to mend, and the one line shown of another's."""

import re


class UserError(ValueError):
    """Something the user gave is wrong: the message names it, its value and what would be right.

    A step shows it as one line and exits with 1; any other exception is ours and keeps its trace.
    """


def first_line(error: Exception) -> str:
    """Return the first line of what a library's error says; of one from Java, of its cause there."""
    cause = getattr(error, "java_exception", None)
    return str(cause or error).strip().splitlines()[0]


def last_cause(error: Exception) -> str:
    """Return the first line of what an error of Spark comes from in the end.

    A task's error is text in the one that ended the job: there it stands after the task's address.
    """
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    text = str(cause.getMessage() if cause is not None else error).strip().splitlines()[0]
    return re.sub(r"^Job aborted due to stage failure: .* executor [^)]*\): ", "", text)
