"""The end of a process, which takes as long as a short step if nothing is done about it."""

import atexit
import gc


def end_soon() -> None:
    """Have Python collect no garbage when this process ends, which nobody would reuse.

    With the modules of MLflow and Spark loaded, going through all objects took a second.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
