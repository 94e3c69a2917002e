"""A process that keeps a run open until its input ends or it is killed."""

import os
import sys

import mlflow

from common.store.liveness import Heartbeat


def main() -> None:
    """Open a run with the given tags (`name=value`), print its id, and end when the input ends."""
    tags = dict(given.split("=", 1) for given in sys.argv[1:])
    experiment = os.environ["MLFLOW_EXPERIMENT_ID"]
    with (
        mlflow.start_run(experiment_id=experiment, tags=tags) as run,
        Heartbeat(run.info.run_id, experiment),
    ):
        print(run.info.run_id, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
