"""A process that fills a run, and holds it until it is told to end, or is killed."""

import os
import sys

import mlflow

from common.store.liveness import Heartbeat


def main() -> None:
    """Open a run with the tags `name=value` that are given; say its id, and end at the end of input."""
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
