"""A search that stops while it writes a candidate, so that a test can kill it there."""

import sys
from importlib import import_module
from itertools import count
from threading import Event

from common.store import candidate_runs

WRITTEN = 3
HELD = "held\n"


def main() -> None:
    """Run a search; its first candidates are written, and only the run of the next one."""
    metrics, number = candidate_runs._metrics, count()

    def hold(result):
        if next(number) == WRITTEN:
            sys.stdout.write(HELD)
            Event().wait()
        return metrics(result)

    candidate_runs._metrics = hold
    step, *arguments = sys.argv[1:]
    getattr(import_module(f"steps.{step}"), step).main(arguments)


if __name__ == "__main__":
    main()
