"""A path as a user writes it."""

import os
from pathlib import Path


def user_path(given: str | Path) -> Path:
    """Return a path with the user's home folder for a ~ at its beginning.

    A shell leaves it in `source=~/x.csv`, some in every word, and MLflow passes it on as it is. The name
    of nobody's home stays, so that what is said of it is that it does not exist.
    """
    return Path(os.path.expanduser(given))
