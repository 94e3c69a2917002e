"""Digest of the content behind a URI that only Spark's file systems can read, from a separate process.

Step keys are needed before a session exists, and in processes that never start one. The separate
process starts a session of its own; it costs a few seconds, and only for such sources.
"""

import json
import subprocess
import sys

from common import ROOT
from common.errors import UserError, first_line
from common.machine.file_system import fingerprint
from common.machine.spark import get_session


def digest_of(uri: str) -> str:
    """Return a digest that changes when the content behind a URI changes (64 hex digits).

    Raises:
        UserError: Nothing exists at the URI, its scheme has no file system, or that does not respond.
    """
    command = [sys.executable, "-m", __name__, uri]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(f"{uri} could not be inspected:\n{done.stderr}") from None
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
