"""The commands that serve: their messages, how they end, and that they keep running."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import psutil
import pytest
from click.testing import CliRunner
from urllib3 import PoolManager, Retry

from common import CHAMPION_URI, PROJECT
from common.machine import copies
from steps.find_model import find_model
from steps.serve import serve
from tests.service.served import DEADLINE, MLFLOWS, OURS

MAKE = ("make", "--no-print-directory", "serve", "port={port}")

RETRY = Retry(10, allowed_methods=None, backoff_factor=0.1, backoff_max=1)


@pytest.fixture(autouse=True)
def _whole(monkeypatch):
    """Keep the command from hiding packages in this process."""
    monkeypatch.setattr("steps.serve.import_server", lambda: None)


@pytest.fixture(scope="module")
def csv(champion):
    """A table that takes some seconds to score."""
    line = champion.rows.head(1).to_csv(index=False, header=False)
    return ",".join(champion.rows.columns) + "\n" + line * 60_000


@pytest.mark.slow
@pytest.mark.parametrize("command", [MAKE, MLFLOWS, (*MAKE, "workers=2")], ids=["make", "mlflow", "two"])
def test_service_answers_what_it_has_before_a_signal_ends_it(start, csv, command):
    service = start(*command)
    below = psutil.Process(service.process.pid).children(recursive=True)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(service.post, csv, "text/csv")
        # The server has received the whole request once it uses processor time.
        servers = [process for process in below if is_server(process)]
        idle = sum(cpu(process) for process in servers)
        while sum(cpu(process) for process in servers) < idle + 0.3:
            assert not answer.done()
        service.process.send_signal(signal.SIGTERM)
        assert answer.result().status_code == 200
    assert len(answer.result().json()["predictions"]) == 60_000
    assert service.process.wait(DEADLINE) in (-signal.SIGTERM, 2, 143)
    gone, alive = psutil.wait_procs(below, DEADLINE)
    assert not alive
    assert len(gone) == len(below)


@pytest.mark.slow
def test_worker_that_is_killed_under_load_is_replaced_and_the_others_go_on(start, champion):
    service = start(*MAKE, "workers=2")
    csv = champion.rows.to_csv(index=False)
    before = service.workers()
    assert len(before) == 2
    killed = before[0]

    # Clients of the killed worker ask again, also if they have a part of its answer (requests would not).
    clients = PoolManager(retries=RETRY, headers={"Content-Type": "text/csv"}, maxsize=8)

    def ask(_):
        return clients.request("POST", f"{service.url}/invocations", body=csv)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, number) for number in range(80)]
        answers[20].result()
        killed.kill()
        assert {answer.result().status for answer in answers} == {200}
        psutil.wait_procs([killed], DEADLINE)
        while len(service.workers()) < 2:
            ask(0)
    assert killed not in service.workers()
    service.stop()


def is_server(process):
    names = ("steps.serve", "uvicorn", "multiprocessing.spawn")
    return any(name in " ".join(process.cmdline()) for name in names)


def cpu(process):
    times = process.cpu_times()
    return times.user + times.system


NUMBER = """
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Number(PythonModel):
    def predict(self, context, model_input, params=None):
        return [7] * len(model_input)


set_model(Number())
"""


@pytest.mark.slow
def test_model_of_another_kind_is_served_by_mlflows_server(start, tmp_path):
    (tmp_path / "number.py").write_text(NUMBER)
    folder = str(tmp_path / "model")
    mlflow.pyfunc.save_model(
        folder, python_model=str(tmp_path / "number.py"), pip_requirements=["mlflow"]
    )
    service = start(*OURS, "--model", folder)
    answer = service.post('{"inputs": [1, 2]}')
    assert (answer.status_code, answer.json()) == (200, {"predictions": [7, 7]})
    figures = service.session.get(f"{service.url}/metrics").text.splitlines()
    assert 'model_requests_total{status="200",way="mlflow"} 1.0' in figures
    service.stop()


def test_model_that_is_not_on_this_machine_is_copied_where_the_service_keeps_it(monkeypatch, tmp_path):
    def fetched(uri):
        def download(folder):
            (folder / "model").mkdir()
            return str(folder / "model")

        return Path(copies.copy_once(uri, download))

    monkeypatch.setattr("steps.find_model.model_folder", fetched)
    result = CliRunner().invoke(find_model, ["models:/far/1", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, f"{tmp_path}/model\n")
    assert (tmp_path / "model").is_dir()


def test_port_that_is_taken_is_one_line(tiny_model):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = CliRunner().invoke(serve, ["--model", str(tiny_model), "--port", str(port)])
    said = f"Error: cannot listen on port {port} of 127.0.0.1: Address already in use\n"
    assert (result.exit_code, result.stderr) == (1, said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            f"model '{CHAMPION_URI}' cannot be read: Registered Model with name={PROJECT} not found",
        ),
        (["--model", "runs:/nope/model"], "model 'runs:/nope/model' cannot be read: Run with id=nope"),
        (["--model", "conf"], "model 'conf' has no MLmodel file with a python_function"),
        (["--port", "0"], "'--port': 0 is not in the range"),
        (["--workers", "0"], "'--workers': 0 is not in the range"),
    ],
)
def test_mistake_is_one_line(store, capfd, arguments, message):
    result = CliRunner().invoke(serve, arguments)
    assert result.exit_code == 1
    # The process that looks for the model writes its line itself.
    (line,) = (result.stderr + capfd.readouterr().err).strip().splitlines()
    assert line.startswith("Error: ")
    assert message in line
