"""The commands that serve: their messages, how they end, and that they keep running."""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from click.testing import CliRunner
from urllib3 import Retry

from steps.serve import serve
from tests.service.served import DEADLINE

MAKE = ("make", "--no-print-directory", "serve", "port={port}")
MLFLOW = (
    *(sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/income@champion"),
    *("--env-manager", "local", "-p", "{port}"),
)


RETRY = Retry(10, allowed_methods=None, backoff_factor=0.1, backoff_max=1)


@pytest.fixture(scope="module")
def csv(champion):
    """A table that takes some seconds to score."""
    line = champion.rows.head(1).to_csv(index=False, header=False)
    return ",".join(champion.rows.columns) + "\n" + line * 60_000


@pytest.mark.slow
@pytest.mark.parametrize("command", [MAKE, MLFLOW, (*MAKE, "workers=2")], ids=["make", "mlflow", "two"])
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

    def ask(_):
        # Clients of the killed worker ask again.
        with requests.Session() as session:
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=RETRY))
            return service.post(csv, "text/csv", session)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, number) for number in range(200)]
        answers[50].result()
        killed.kill()
        assert {answer.result().status_code for answer in answers} == {200}
        psutil.wait_procs([killed], DEADLINE)
        while len(service.workers()) < 2:
            ask(0)
    assert killed not in service.workers()
    service.stop()


def is_server(process):
    return any(name in " ".join(process.cmdline()) for name in ("uvicorn", "multiprocessing.spawn"))


def cpu(process):
    times = process.cpu_times()
    return times.user + times.system


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "model 'models:/income@champion' cannot be read: Registered Model with name=income not found",
        ),
        (["--model", "runs:/nope/model"], "model 'runs:/nope/model' cannot be read: Run with id=nope"),
        (["--model", "conf"], "model 'conf' has no MLmodel file with a python_function"),
        (["--port", "0"], "'--port': 0 is not in the range"),
        (["--workers", "0"], "'--workers': 0 is not in the range"),
    ],
)
def test_mistake_is_one_line(store, arguments, message):
    result = CliRunner().invoke(serve, arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert message in line
