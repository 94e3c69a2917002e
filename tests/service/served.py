"""A model served by a real command: started on a free port, queried over HTTP, stopped by a signal."""

import logging
import os
import signal
import socket
import subprocess
import sys

import psutil
import requests
from urllib3 import Retry

from tests.project import ROOT

# It logs every attempt that gets no answer yet.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

# The limit of all waits; normally nothing takes this long.
DEADLINE = 120


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# What serves the champion.
OURS = (sys.executable, "-m", "steps.serve", "--port", "{port}")
MLFLOWS = (
    *(sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/income@champion"),
    *("--env-manager", "local", "-p", "{port}"),
)


class Service:
    """The service that a command starts, once it answers."""

    def __init__(self, command, store, log, port=None, **environment):
        """Start a command; {port} in it is replaced by the port."""
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [part.format(port=self.port) for part in command],
                cwd=ROOT,
                env={**os.environ, "PATH": path, "MLFLOW_TRACKING_URI": store, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.session = requests.Session()
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=50))
        wait_for(f"{self.url}/health")

    def post(self, data, content_type="application/json", session=None, **options):
        headers = {"Content-Type": content_type} if content_type else {}
        ask = session or self.session
        return ask.post(f"{self.url}/invocations", data=data, headers=headers, **options)

    def workers(self):
        """Return the processes that score."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in below if "multiprocessing.spawn" in " ".join(child.cmdline())]

    def stop(self):
        """Send SIGTERM to the started process; return its exit code and its output."""
        self.session.close()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        return code, self.log.read_text()


class Twins:
    """The same model served by us and by MLflow's own command, which must give the same answers."""

    def __init__(self, ours, mlflows):
        self.ours, self.mlflows = ours, mlflows
        self.session, self.url = ours.session, ours.url

    def post(self, *request):
        """Send a request to both; return the answer that both gave."""
        answer, other = self.ours.post(*request), self.mlflows.post(*request)
        assert (answer.status_code, answer.content) == (other.status_code, other.content)
        assert answer.headers["content-type"] == other.headers["content-type"]
        return answer


def wait_for(url):
    """Ask until there is an answer; urllib3 waits at most a quarter of a second in between."""
    patience = Retry(total=4 * DEADLINE, backoff_factor=0.1, backoff_max=0.25)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=patience))
        return session.get(url, timeout=DEADLINE)
