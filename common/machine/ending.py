"""The end of a process, which takes as long as a short step if nothing is done about it."""

import atexit
import gc
import sys
from types import TracebackType

ABORTED = "Aborted"


def end_soon() -> None:
    """Have Python collect no garbage when this process ends, which nobody would reuse.

    With the modules of MLflow and Spark loaded, going through all objects took a second.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def abort_quietly() -> None:
    """Have an interruption end this process with a word, also while it imports what it needs."""
    show = sys.excepthook

    def said(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.stderr.write(f"{ABORTED}\n")
        else:
            show(kind, error, trace)

    sys.excepthook = said
