"""Serve a model with MLflow's own server, in this process: `make serve`.

It is no entry point: a service is no run.
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
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0: every one.")
@click.option("--port", default=5055, type=click.IntRange(1, 65535), help="To listen on.")
@click.option("--workers", default=1, type=click.IntRange(1), help="Processes that score.")
def serve(model: str, host: str, port: int, workers: int) -> None:
    """Serve a model in this environment: POST /invocations, GET /health.

    It becomes the command that `mlflow models serve --env-manager local` starts and waits for, so that
    a signal reaches the server, and its end is seen.
    """
    folder = model_folder(model)
    _check_free(host, port)
    # MLflow takes the host for a number, in its types alone.
    command, environment = scoring_server.get_cmd(
        str(folder),
        port,
        host,  # type: ignore[arg-type]
        nworkers=workers,
    )
    # No longer than a request may take: a worker that reads a large one is not to be taken for one that
    # hangs, and one that nobody goes on sending does not keep a service from ending.
    timeout = environment["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"]
    for name in ("WORKER_HEALTHCHECK", "GRACEFUL_SHUTDOWN"):
        environment.setdefault(f"UVICORN_TIMEOUT_{name}", timeout)
    click.echo(f"{model} from {folder}", err=True)
    os.execve(sys.executable, [sys.executable, "-m", *shlex.split(command)], environment)


def _check_free(host: str, port: int) -> None:
    """Raise UserError if the address is not free; the server itself would say so late."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        raise UserError(f"port {port} of {host} cannot be listened on: {error.strerror}") from None


if __name__ == "__main__":
    serve()
