"""The image that `make image` builds, run by a real engine; skipped where there is none."""

import json
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import requests

from tests.project import ROOT
from tests.service.served import DEADLINE, free_port, wait_for

NAME = "income-under-test"


def docker(*arguments):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_image(champion, **environment):
    command = ["make", "--no-print-directory", "image", f"name={NAME}"]
    told = {**os.environ, "MLFLOW_TRACKING_URI": champion.store, **environment}
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True)


def need_engine():
    if not shutil.which("docker"):
        pytest.skip("there is no docker on PATH")
    if subprocess.run(["docker", "version"], capture_output=True).returncode:
        pytest.skip("no docker engine answers")


@pytest.fixture(scope="module")
def image(champion):
    need_engine()
    done = make_image(champion)
    assert done.returncode == 0, done.stdout + done.stderr
    yield NAME
    docker("image", "rm", "--force", NAME, f"{NAME}-build")


@pytest.fixture
def container(image):
    """A container, once it answers: its id and address."""
    port = free_port()
    run = docker("run", "--detach", "--publish", f"127.0.0.1:{port}:8080", image)
    wait_for(f"http://127.0.0.1:{port}/ping")
    yield run, f"http://127.0.0.1:{port}"
    docker("rm", "--force", run)


@pytest.mark.slow
def test_container_scores_as_in_process_and_refuses_what_is_wrong(container, champion):
    _, url = container
    assert requests.get(f"{url}/health").status_code == 200
    rows = champion.rows.to_dict("records")
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{url}/invocations", json.dumps({"dataframe_records": rows}), headers=headers)
    expected = champion.model.predict(pd.DataFrame(rows)).to_dict("records")
    assert answer.json() == {"predictions": expected}
    wrong = [rows[0], {**rows[1], "age": "39"}]
    for body, said in [
        (json.dumps({"instances": wrong}), "row 2 of 2: column 'age' is '39'"),
        (json.dumps({"dataframe_records": [{}]}), "column 'age' is missing"),
        ("{", "valid JSON"),
    ]:
        answer = requests.post(f"{url}/invocations", body, headers=headers)
        assert answer.status_code == 400
        assert said in answer.json()["message"]
    figures = requests.get(f"{url}/metrics").text.splitlines()
    assert 'model_requests_total{status="200",way="direct"} 1.0' in figures
    assert f"model_rows_total {len(rows):.1f}" in figures


@pytest.mark.slow
def test_container_answers_what_it_has_before_it_stops(container, champion):
    run, url = container
    line = champion.rows.head(1).to_csv(index=False, header=False)
    csv = ",".join(champion.rows.columns) + "\n" + line * 60_000
    with ThreadPoolExecutor() as pool:
        headers = {"Content-Type": "text/csv"}
        answer = pool.submit(requests.post, f"{url}/invocations", csv, headers=headers)
        idle = cpu(run)
        while cpu(run) < idle + 0.3:
            assert not answer.done()
        docker("stop", "--time", str(DEADLINE), run)
        assert answer.result().status_code == 200
    assert len(answer.result().json()["predictions"]) == 60_000
    assert docker("inspect", "--format", "{{.State.ExitCode}}", run) in ("0", str(128 + signal.SIGTERM))


def cpu(run):
    """Return the processor time of a container's first process, in seconds."""
    pid = docker("inspect", "--format", "{{.State.Pid}}", run)
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_image_has_no_java_no_spark_no_root_and_stays_small(image):
    (told,) = json.loads(docker("image", "inspect", image))
    assert told["Size"] < 1.2e9
    assert told["Config"]["User"] == "nobody"
    packages = docker("run", "--rm", "--entrypoint", "python", image, "-m", "pip", "list")
    assert "onnxruntime" in packages
    assert "pyspark" not in packages
    java = ["docker", "run", "--rm", "--entrypoint", "java", image]
    assert subprocess.run(java, capture_output=True).returncode == 127


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DOCKER_HOST": "unix:///nowhere.sock"}, "docker is needed to build an image, and "),
        (
            {"MLFLOW_TRACKING_URI": "sqlite:///{folder}/mlflow.db"},
            "Registered Model with name=income not",
        ),
    ],
)
def test_mistake_is_one_line(champion, tmp_path, environment, said):
    environment = {name: text.format(folder=tmp_path) for name, text in environment.items()}
    if (
        "DOCKER_HOST" not in environment
        and subprocess.run(["sh", "-c", "docker version"], capture_output=True).returncode
    ):
        pytest.skip("no docker engine answers")
    done = make_image(champion, **environment)
    assert done.returncode == 2
    line, _made = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert said in line
