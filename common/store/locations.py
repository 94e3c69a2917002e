"""Locations of artifacts and tables: URIs, and paths of this machine."""

from pathlib import Path
from urllib.parse import urlparse

from mlflow.utils.file_utils import local_file_uri_to_path


def is_local(location: str) -> bool:
    """Tell whether a location is a path of this machine, or its URI."""
    return urlparse(location).scheme in ("", "file")


def local_path(location: str) -> Path | None:
    """Return the path of a local location; None for another."""
    if not is_local(location):
        return None
    # A % in a plain path is no escape, but MLflow's function would decode it.
    return Path(local_file_uri_to_path(location) if location.startswith("file:") else location)
