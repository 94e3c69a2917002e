"""Run the service under uvicorn, whose arguments and variables it takes: python -m common.service."""

import os
import sys
from collections.abc import Sequence
from tempfile import TemporaryDirectory

import uvicorn

APPLICATION = "common.service.app:app"
# prometheus_client's name for the folder in which workers share their figures.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
# A worker that parses a large request must not count as hung, and a request that is never completed must
# not keep the service from ending: both get the time limit of a request, MLflow's.
LIMIT, LIMITED = "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", ("WORKER_HEALTHCHECK", "GRACEFUL_SHUTDOWN")


def run(arguments: Sequence[str]) -> None:
    """Serve until a signal comes; the model is that of MLflow's variable.

    Args:
        arguments: uvicorn's.
    """
    limit = os.environ.setdefault(LIMIT, "60")
    for name in LIMITED:
        os.environ.setdefault(f"UVICORN_TIMEOUT_{name}", limit)
    command = uvicorn.main
    asked = command.make_context("uvicorn", [*arguments, APPLICATION])
    workers = asked.params["workers"] or int(os.environ.get("WEB_CONCURRENCY", 1))
    if workers == 1:
        command.invoke(asked)
        return
    with TemporaryDirectory(prefix="metrics-") as folder:
        os.environ[SHARED] = folder
        command.invoke(asked)


if __name__ == "__main__":
    run(sys.argv[1:])
