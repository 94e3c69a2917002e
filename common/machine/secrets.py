"""Passwords, keys and tokens in URIs: never shown, and refused where a run would store them."""

import re

from common.errors import UserError

# SQLAlchemy accepts passwords that contain slashes, and even @.
_PASSWORD = re.compile(r"(?<=://)([^\s/:@'\"]*):[^\s'\"]*@")
# Over HTTP a user name without a password is a token, as on Git hosts; in a database URI it is not.
_TOKEN = re.compile(r"(?<=https://)[^\s/:@'\"]+@|(?<=http://)[^\s/:@'\"]+@")
_VALUE = re.compile(
    r"([?&;][^\s=&;'\"]*(?:pass|pwd|secret|token|key|sig|cred|auth)[^\s=&;'\"]*=)[^\s&;'\"]+",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Return the text with every secret in its URIs replaced by asterisks."""
    return _VALUE.sub(r"\1***", _TOKEN.sub("***@", _PASSWORD.sub(r"\1:***@", text)))


def check_no_secret(name: str, uri: str) -> None:
    """Refuse a URI that contains a secret, because MLflow would store it in the run's parameters.

    Args:
        name: The name of the parameter or setting, for the error message.
        uri: The URI to check.

    Raises:
        UserError: The URI contains a secret.
    """
    if masked(uri) != uri:
        raise UserError(
            f"{name} {masked(uri)!r} contains a password or token, which the run would store: put it in "
            "~/.netrc (https) or Spark's configuration (s3a, abfss), or download the file first"
        )
