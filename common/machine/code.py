"""The state of the project's code, which processes that outlive a step may have imported."""

import hashlib
from pathlib import Path

from common import ROOT


def code_state() -> str:
    """Return a text that differs once a file of the project's code is changed, added or removed."""
    files = sorted(file for folder in ("common", "steps") for file in Path(ROOT, folder).rglob("*.py"))
    state = [(str(file), file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(state).encode()).hexdigest()
