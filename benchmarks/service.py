"""Load test of the champion's service, beside one written by hand and others by MLflow.

python -m benchmarks.service [--model models:/income@champion]

A model's folder is compared with all but the Spark flavour, which is found by the version.
"""

import json
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import click
import mlflow
import pandas as pd
from mlflow.models import Model, ModelSignature

from common.service.lean import MODEL
from common.store.artifacts import model_folder
from common.store.registry import SEARCH

from .report import report
from .served import Service, ask, figures, running, served, uvicorn

CLIENTS = (1, 8, 32)
# Each is loaded this often in turn, and for so long. Figures are medians: other work on the machine then
# slows all services alike.
ROUNDS, SECONDS = 5, 5
OURS, BY_HAND, MLFLOWS, SPARK = "portable", "written by hand", "MLflow's server", "Spark flavour"
# hey's options for the warm-up, which lets the service and Spark compile their code.
WARM_UP = ("-c", "2", "-n", "40")

FLOOR = """
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Nothing(PythonModel):
    def predict(self, context, model_input, params=None):
        return ANSWER


ANSWER = pd.DataFrame({"prediction": ["<=50K"], "probability": [0.5]})
set_model(Nothing())
"""


@click.command()
@click.option(
    "--model",
    default="models:/income@champion",
    help="URI of a version registered by `champion`, or a folder.",
)
def service(model: str) -> None:
    """Measure each service, with one worker, under 1, 8 and 32 clients in turn."""
    folder = model_folder(model)
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        body = Path(temporary, "record.json")
        body.write_text(json.dumps({"dataframe_records": _first_record(folder)}))
        kinds = _kinds(model, folder, Path(temporary))
        services = {name: stack.enter_context(one) for name, one in kinds.items()}
        for name, one in services.items():
            if failed := figures(ask(one, body, *WARM_UP))["errors"]:
                raise click.ClickException(f"{failed} requests to the service {name!r} failed")
        rows = [row for clients in CLIENTS for row in _loaded(services, body, clients)]
        memory = {name: round(one.memory()) for name, one in services.items()}
        start = {name: round(one.start, 1) for name, one in services.items()}
    rates = {(row["service"], row["clients"]): row["requests/s"] for row in rows}
    facts: dict[str, Any] = {
        f"requests/s, as a share of the one written by hand, {n} clients": round(
            rates[OURS, n] / rates[BY_HAND, n], 2
        )
        for n in CLIENTS
    }
    facts |= {
        f"requests/s, as a multiple of {name}, one client": round(rates[OURS, 1] / rates[name, 1], 1)
        for name in (MLFLOWS, SPARK)
        if name in services
    }
    report("service", rows, {**facts, "start, s": start, "resident memory after the load, MB": memory})


def _kinds(model: str, folder: Path, temporary: Path) -> dict[str, AbstractContextManager[Service]]:
    """Return the services, not yet started."""
    mlflows = uvicorn("mlflow.pyfunc.scoring_server.app:app")
    pipeline = str(folder / "artifacts" / "pipeline.onnx")
    signature = Model.load(str(folder)).signature
    kinds = {
        OURS: served(str(folder)),
        BY_HAND: running(uvicorn("benchmarks.hand_written:app"), PIPELINE=pipeline),
        MLFLOWS: running(mlflows, **{MODEL: str(folder)}),
        "does nothing": running(mlflows, **{MODEL: _floor(temporary / "nothing", signature)}),
        "does nothing, no signature": running(mlflows, **{MODEL: _floor(temporary / "bare", None)}),
    }
    if model.startswith("models:/"):
        kinds[SPARK] = served(_spark_model(model))
    return kinds


def _loaded(services: Mapping[str, Service], body: Path, clients: int) -> list[dict[str, Any]]:
    """Load each service in turn, several times; return its median figures."""
    load = ("-c", str(clients), "-z", f"{SECONDS}s")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in services}
    for _ in range(ROUNDS):
        for name, one in services.items():
            found[name].append(figures(ask(one, body, *load)))
    return [
        {"service": name, "clients": clients, **pd.DataFrame(each).median().to_dict()}
        for name, each in found.items()
    ]


def _first_record(folder: Path) -> list[dict[str, object]]:
    example = json.loads((folder / "input_example.json").read_text())
    return [dict(zip(example["columns"], example["data"][0], strict=True))]


def _spark_model(model: str) -> str:
    name, _, which = model.removeprefix("models:/").replace("/", "@").partition("@")
    client = mlflow.MlflowClient()
    get = client.get_model_version if which.isdigit() else client.get_model_version_by_alias
    return f"runs:/{get(name, which).tags[SEARCH]}/spark-model"


def _floor(folder: Path, signature: ModelSignature | None) -> str:
    folder.mkdir()
    code, model = folder / "nothing.py", str(folder / "model")
    code.write_text(FLOOR)
    mlflow.pyfunc.save_model(
        model, python_model=str(code), signature=signature, pip_requirements=["mlflow"]
    )
    return model


if __name__ == "__main__":
    service()
