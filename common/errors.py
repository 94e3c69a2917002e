"""The one kind of error that is the user's to mend."""


class UserError(ValueError):
    """Something the user gave is wrong: the message names it, its value and what would be right.

    A step shows it as one line and exits with 1; any other exception is ours and keeps its trace.
    """
