"""Common parts of the service benchmarks: a served model, and clients that send it requests (hey)."""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pandas as pd
import psutil
import requests
from urllib3 import Retry

HOST = "127.0.0.1"
LONGEST = 180  # seconds, for a service to start


@dataclass(frozen=True)
class Service:
    """A running service.

    Attributes:
        url: Its base URL.
        process: Its main process; the other processes are children of it.
        start: Time from the command to the first answer, in seconds.
    """

    url: str
    process: psutil.Process
    start: float

    def memory(self) -> float:
        """Return the resident memory of all its processes, in MB."""
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(process.memory_info().rss for process in processes) / 1e6


def uvicorn(application: str) -> list[str]:
    """Return the command that serves an application, on the port {port}."""
    return [sys.executable, "-m", "uvicorn", application, "--host", HOST, "--port", "{port}"]


def served(model: str, workers: int = 1) -> AbstractContextManager[Service]:
    """Serve a model as `make serve` does, and discard its log.

    Args:
        model: URI or folder of the model.
        workers: Number of worker processes.
    """
    return running(_command(model, workers))


def starting(model: str, workers: int = 1) -> AbstractContextManager[Callable[[], Service]]:
    """Start to serve a model; the value is a function that waits for the service and returns it.

    Args:
        model: URI or folder of the model.
        workers: Number of worker processes.
    """
    return _started(_command(model, workers))


def _command(model: str, workers: int) -> list[str]:
    command = [sys.executable, "-m", "steps.serve", "--model", model, "--port", "{port}"]
    return [*command, "--workers", str(workers)]


@contextmanager
def running(command: Sequence[str], **environment: str) -> Iterator[Service]:
    """Run a command that serves a model, and discard its log.

    Args:
        command: The command; {port} in it is replaced by a free port.
        environment: Variables beside those of this process.
    """
    with _started(command, **environment) as service:
        yield service()


@contextmanager
def _started(command: Sequence[str], **environment: str) -> Iterator[Callable[[], Service]]:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    quiet = {**os.environ, "UVICORN_ACCESS_LOG": "false", **environment}
    started = time.perf_counter()

    def wait() -> Service:
        url = f"http://{HOST}:{port}"
        with requests.Session() as session:
            patience = Retry(total=LONGEST * 20, backoff_factor=0.05, backoff_max=0.05)
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=patience))
            session.get(f"{url}/ping").raise_for_status()
        return Service(url, psutil.Process(process.pid), time.perf_counter() - started)

    with tempfile.TemporaryFile() as log:
        called = [part.format(port=port) for part in command]
        process = subprocess.Popen(called, env=quiet, stdout=log, stderr=log)
        try:
            yield wait
        finally:
            process.terminate()
            process.wait()


def ask(service: Service, body: Path, *load: str) -> pd.DataFrame:
    """Send requests to a service, and return a row per request with `seconds` and `status`.

    Args:
        service: The service.
        body: File with the JSON to post.
        load: hey's options: number of clients (-c), duration (-z) or number of requests (-n).
    """
    if not shutil.which("hey"):
        raise click.ClickException("this benchmark needs hey: apt-get install hey, or brew install hey")
    command = ["hey", *load, "-m", "POST", "-T", "application/json", "-D", str(body), "-o", "csv"]
    command += ["-t", "120", f"{service.url}/invocations"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answers = pd.read_csv(io.StringIO(done.stdout))
    return answers.rename(columns={"response-time": "seconds", "status-code": "status"})


def figures(answers: pd.DataFrame) -> dict[str, float]:
    """Return requests per second, the median and 99th percentile latency in ms, and failed requests."""
    lasted = (answers["offset"] + answers["seconds"]).max() - answers["offset"].min()
    return {
        "requests/s": round(len(answers) / lasted, 1),
        "p50 ms": round(answers["seconds"].quantile(0.5) * 1000, 2),
        "p99 ms": round(answers["seconds"].quantile(0.99) * 1000, 2),
        "errors": int((answers["status"] != 200).sum()),
    }
