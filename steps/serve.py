"""Serve a model by MLflow's protocol, in this process: `make serve`.

Not an entry point: a service has no run. This process is the server, so it imports neither Spark nor the
store: another process finds the model, while this one imports the server.
"""

import os
import socket
import subprocess
import sys
from os.path import isfile
from pathlib import Path

import click

from common import CHAMPION_URI, ROOT
from common.errors import UserError
from common.machine import copies
from common.machine.user_path import user_path
from common.service.__main__ import run
from common.service.lean import MODEL, import_server, is_portable
from steps.plain_command import plain_command


@plain_command("serve")
@click.option("--model", default=CHAMPION_URI, help="URI of the model.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0: all addresses.")
@click.option("--port", default=5055, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, type=click.IntRange(1), help="Number of worker processes.")
def serve(model: str, host: str, port: int, workers: int) -> None:
    """Serve a model in this environment: POST /invocations, GET /health, GET /metrics.

    The server runs in this process, so signals reach it, and the command ends with it.
    """
    folder = _find(model, workers)
    _check_free(host, port)
    os.environ[MODEL] = folder
    click.echo(f"{model} from {folder}", err=True)
    arguments = ["--host", host, "--port", str(port), "--workers", str(workers)]
    if workers > 1 or is_portable(folder):
        run(arguments)
    else:
        # What was imported for a portable model is not all that another one may need.
        os.execve(sys.executable, [sys.executable, "-m", "common.service", *arguments], _environment())


def _find(model: str, workers: int) -> str:
    """Return the folder of a model; meanwhile, import what serves it in this process.

    Raises:
        SystemExit: There is no such model; the other process said so.
    """
    folder = user_path(model)
    if isfile(folder / "MLmodel") and is_portable(str(folder)):
        return str(folder)
    command = [sys.executable, "-m", "steps.find_model", model, str(copies.new_folder())]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, text=True) as finding:
        if workers == 1:
            import_server()
        told, _ = finding.communicate()
    if finding.returncode:
        sys.exit(1)
    folder = Path(told.splitlines()[-1])
    if not copies.is_copy(folder):
        copies.remove_copies()
    return str(folder)


def _environment() -> dict[str, str]:
    """Return the environment of a process that imports this project, wherever it is started."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


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
