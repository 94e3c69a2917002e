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
    open_run, number = candidate_runs._open_run, count()

    def hold(search, parent, kind, name, tags):
        opened = open_run(search, parent, kind, name, tags)
        if kind == candidate_runs.CANDIDATE and next(number) == WRITTEN:
            sys.stdout.write(HELD)
            Event().wait()
        return opened

    candidate_runs._open_run = hold
    step, *arguments = sys.argv[1:]
    getattr(import_module(f"steps.{step}"), step).main(arguments)


if __name__ == "__main__":
    main()
