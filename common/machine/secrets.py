"""Passwords, keys and tokens in URIs: never shown, and refused where a run would keep them."""

import re

from common.errors import UserError

# A password may hold slashes, and even @, as SQLAlchemy takes it.
_PASSWORD = re.compile(r"(?<=://)([^\s/:@'\"]*):[^\s'\"]*@")
# A name alone is a token, as for Git's hosts; a database's user is none.
_TOKEN = re.compile(r"(?<=https://)[^\s/:@'\"]+@|(?<=http://)[^\s/:@'\"]+@")
_VALUE = re.compile(
    r"([?&;][^\s=&;'\"]*(?:pass|pwd|secret|token|key|sig|cred|auth)[^\s=&;'\"]*=)[^\s&;'\"]+",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Return a text with all that is secret in its URIs left out."""
    return _VALUE.sub(r"\1***", _TOKEN.sub("***@", _PASSWORD.sub(r"\1:***@", text)))


def check_no_secret(name: str, uri: str) -> None:
    """Refuse a URI that MLflow would keep among a run's parameters with a secret in it.

    Raises:
        UserError: there is one.
    """
    if masked(uri) != uri:
        raise UserError(
            f"{name} {masked(uri)!r} has a password or token in it, which runs would keep: give that by "
            "~/.netrc (https) or Spark's configuration (s3a, abfss), or fetch the file first"
        )
