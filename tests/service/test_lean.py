"""What the service needs: this package alone, and no more of MLflow than a portable model does."""

import json
import shutil
import subprocess
import sys

import mlflow

from common.service.loading import other_versions
from tests.project import ROOT

PROGRAM = """
import asyncio, json, sys
from common.service.app import app

async def ask(path, method, body=b""):
    sent = []
    async def receive():
        return {"type": "http.request", "body": body}
    async def send(message):
        sent.append(message)
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"].decode()

body = json.dumps({"instances": [{"age": 39, "pay-rate": 2.5, "job": "Clerk"}]}).encode()
status, answer = asyncio.run(ask("/invocations", "POST", body))
there = [name for name in ("pyspark", "scipy", "pyarrow", "onnx", "common.data") if sys.modules.get(name)]
print(json.dumps([status, json.loads(answer), there, asyncio.run(ask("/metrics", "GET"))[1]]))
"""


def test_package_alone_serves_a_model_without_what_it_does_not_need(tiny_model, tmp_path):
    shutil.copytree(ROOT / "common" / "service", tmp_path / "common" / "service")
    path = [str(tmp_path), *(entry for entry in sys.path if entry != str(ROOT))]
    environment = {"PYTHONPATH": ":".join(path), "__pyfunc_model_path__": str(tiny_model)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    status, answer, there, figures = json.loads(done.stdout.splitlines()[-1])
    assert (status, answer) == (200, {"predictions": [{"prediction": "yes", "probability": 97.5}]})
    assert there == []
    assert 'model_requests_total{status="200",way="direct"} 1.0' in figures.splitlines()
    assert 'model_predictions_total{label="no"} 0.0' in figures.splitlines()


def test_versions_other_than_those_that_the_model_was_checked_with_are_named():
    pins = f"mlflow=={mlflow.__version__}\nnumpy==0.1\nnot-there==2.0\npandas\n"
    named, absent = other_versions(pins)
    assert named.startswith("numpy 0.1 (here ")
    assert absent == "not-there 2.0 (here none)"
