"""What is behind a URI that only Spark's file systems read: told by them, in a process of its own.

Keys of steps are wanted before there is a session, and in processes that never have one. To start a
session for it costs seconds, for such sources alone.
"""

import json
import subprocess
import sys

from common.errors import UserError, first_line
from common.machine.file_system import fingerprint
from common.machine.spark import ROOT, get_session


def digest_of(uri: str) -> str:
    """Return what changes when the content behind a URI does (64 hex digits).

    Raises:
        UserError: there is nothing, no file system of this kind, or it does not answer.
    """
    command = [sys.executable, "-m", __name__, uri]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(f"{uri} cannot be looked at:\n{done.stderr}") from None
    if "error" in told:
        raise UserError(f"source {uri!r}: {told['error']}")
    return str(told["digest"])


def _tell(uri: str) -> None:
    try:
        told = {"digest": fingerprint(get_session("local[1]", brief=True), uri)}
    except UserError as error:
        told = {"error": first_line(error)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _tell(sys.argv[1])
