"""Wait for what tells nobody that it has happened."""

import time
from collections.abc import Callable

DEADLINE = 300  # seconds


def until(holds: Callable[[], bool], pause: float = 0.05, deadline: float = DEADLINE) -> None:
    """Ask until something holds.

    Args:
        holds: Asks.
        pause: Seconds between two questions, which leave the processor to what is waited for.
        deadline: Seconds after which it should have held.
    """
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end
        time.sleep(pause)
