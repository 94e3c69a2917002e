"""A thread that calls a function at regular intervals while a block runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def watching(look: Callable[[], None], every: float) -> Iterator[None]:
    """Call a function at regular intervals while the block runs.

    Args:
        look: The function to call.
        every: Interval in seconds.
    """
    ended = Event()

    def watch() -> None:
        while not ended.wait(every):
            look()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
