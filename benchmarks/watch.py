"""A thread that looks at something, at equal times, for as long as a block runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def watching(look: Callable[[], None], every: float) -> Iterator[None]:
    """Call `look` every so many seconds while the block runs."""
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
