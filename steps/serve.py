"""Serve a model with MLflow's own server, in this process: `make serve`.

Not an entry point: a service has no run.
"""

import os
import shlex
import socket
import sys

import click
from mlflow.pyfunc import scoring_server

from common.errors import UserError
from common.store.artifacts import model_folder
from steps.command import command


@command("serve")
@click.option("--model", default="models:/income@champion", help="URI of the model.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0: all addresses.")
@click.option("--port", default=5055, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, type=click.IntRange(1), help="Number of worker processes.")
def serve(model: str, host: str, port: int, workers: int) -> None:
    """Serve a model in this environment: POST /invocations, GET /health.

    The process becomes the server that `mlflow models serve --env-manager local` would start and wait
    for, so signals reach the server itself, and the command ends with it.
    """
    folder = model_folder(model)
    _check_free(host, port)
    # MLflow's type hint for the host is wrong.
    command, environment = scoring_server.get_cmd(
        str(folder),
        port,
        host,  # type: ignore[arg-type]
        nworkers=workers,
    )
    # Both are set to the time limit of a request: a worker that parses a large request must not count as
    # hung, and a request that is never completed must not keep the service from ending.
    timeout = environment["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"]
    for name in ("WORKER_HEALTHCHECK", "GRACEFUL_SHUTDOWN"):
        environment.setdefault(f"UVICORN_TIMEOUT_{name}", timeout)
    click.echo(f"{model} from {folder}", err=True)
    os.execve(sys.executable, [sys.executable, "-m", *shlex.split(command)], environment)


def _check_free(host: str, port: int) -> None:
    """Raise UserError if the address is not free; the server itself would report it late."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        raise UserError(f"cannot listen on port {port} of {host}: {error.strerror}") from None


if __name__ == "__main__":
    serve()
