"""The command mlflow for `make`, on a store that was opened safely.

The host of a workflow's steps imports what they need while this process imports MLflow's command. Main is
a fork of it as well.
"""

import signal
import sys
from contextlib import nullcontext

from common.machine import step_host
from common.machine.host_client import HOST
from common.machine.process import offered


def run() -> None:
    """Run mlflow with the words that were given; terminated, it ends what it runs as if interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Of a command under nohup the latter is ignored.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    host = step_host.begin(listens_first=True) if sys.argv[1:2] == ["run"] else None
    with offered(HOST, str(host.path)) if host else nullcontext():
        # It imports MLflow, beside which the host has begun.
        from common.store.opening import main

        main()


if __name__ == "__main__":
    run()
