"""mlflow.sh, as pm2 runs it."""

import os
import re
import shlex
import shutil
import subprocess

import psutil
import pytest
import requests

from tests.project import ROOT
from tests.service.served import DEADLINE, Service, wait_for


@pytest.fixture(scope="module")
def own_store(empty_store, tmp_path_factory):
    """URI of an empty store; the UI names its experiment."""
    return f"sqlite:///{shutil.copy(empty_store, tmp_path_factory.mktemp('store'))}"


@pytest.fixture(scope="module")
def start_ui(own_store, tmp_path_factory):
    """Start the UI; processes still running at the end are stopped."""
    started, folder = [], tmp_path_factory.mktemp("ui")

    def start(**options):
        log = folder / f"log {len(started)}"
        started.append(Service(("./mlflow.sh", "{port}"), own_store, log, **options))
        return started[-1]

    yield start
    for ui in started:
        if ui.process.poll() is None:
            ui.stop()


@pytest.mark.slow
def test_ui_shows_the_store_and_comes_back_after_it_was_killed_outright(start_ui):
    killed = start_ui()
    assert "<title>MLflow</title>" in requests.get(killed.url).text
    left = psutil.Process(killed.process.pid).children(recursive=True)
    killed.process.kill()
    killed.process.wait()
    again = start_ui(port=killed.port)
    psutil.wait_procs(left, DEADLINE)
    assert not any(process.is_running() for process in left)
    # The server left behind may have answered first.
    wait_for(f"{again.url}/health")
    asked = {"experiment_id": "0"}
    told = requests.get(f"{again.url}/api/2.0/mlflow/experiments/get", asked).json()
    assert told["experiment"]["name"] == "income"
    runs = f"the runs are at {again.url}/#/experiments/0/runs?workflowType=machine_learning\n"
    assert runs in again.log.read_text()
    below = psutil.Process(again.process.pid).children(recursive=True)
    again.stop()
    assert not psutil.wait_procs(below, DEADLINE)[1]


@pytest.fixture(scope="module")
def ui(start_ui):
    """The UI with the variables that the documents name."""
    said = (ROOT / "docs" / "troubleshooting.md").read_text()
    given = re.findall(r"^(MLFLOW_SERVER_\w+=\S+)", said, re.MULTILINE)
    given = dict(shlex.split(one)[0].split("=") for one in given)
    assert set(given) == {"MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"}
    return start_ui(**given)


@pytest.mark.slow
def test_server_answers_to_the_names_that_the_readme_has_it_told(ui):
    url = f"{ui.url}/ajax-api/2.0/mlflow/experiments/search"

    def ask(**headers):
        return requests.post(url, json={"max_results": 1}, headers=headers).status_code

    name, other = "mlflow.example.org:5000", "another.example.org:5000"
    assert [ask(), ask(Host=name), ask(Host=name, Origin=f"http://{name}")] == [200, 200, 200]
    assert [ask(Host=other), ask(Host=name, Origin=f"http://{other}")] == [403, 403]


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "5000 "])
def test_port_that_is_none_is_refused(port):
    done = subprocess.run([ROOT / "mlflow.sh", port], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"mlflow.sh: the port must be a number from 1 to 65535, got '{port}'\n"


@pytest.fixture
def foreign(own_store, tmp_path):
    """A server left behind by the mlflow.sh of another checkout: its parent is gone."""
    command = ("mlflow", "ui", "--workers", "1", "--port", "{port}", "--backend-store-uri", own_store)
    server = Service(command, own_store, tmp_path / "server", INCOME_UI="/another/checkout:5000")
    below = psutil.Process(server.process.pid).children(recursive=True)
    server.process.kill()
    server.process.wait()
    yield server
    for process in below:
        process.kill()


def run_ui(port, **environment):
    return subprocess.run(
        [ROOT / "mlflow.sh", str(port)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


@pytest.mark.slow
def test_server_of_somebody_else_is_left_alone_and_the_port_is_said_to_be_taken(foreign):
    done = run_ui(foreign.port)
    assert done.returncode == 1
    said = (
        f"mlflow.sh: port {foreign.port} is taken by another server: end that one, or name another port"
    )
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert requests.get(f"{foreign.url}/health").status_code == 200


@pytest.mark.slow
def test_ui_that_is_still_served_is_not_ended_by_a_second_one(ui):
    done = run_ui(ui.port)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert requests.get(f"{ui.url}/health").status_code == 200
