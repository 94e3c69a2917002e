"""Load test of the champion's service, against MLflow's Spark flavour and a model that does nothing.

python -m benchmarks.service [--model models:/income@champion]
"""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import mlflow
from mlflow.models import Model, ModelSignature

from common.store.artifacts import model_folder
from common.store.registry import SEARCH

from .report import report
from .served import ask, figures, served

CLIENTS = (1, 8, 32)
SECONDS = 15
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
    "--model", default="models:/income@champion", help="URI of a version registered by `champion`."
)
def service(model: str) -> None:
    """Measure each service, with one worker, under 1, 8 and 32 clients in turn."""
    folder = model_folder(model)
    signature = Model.load(str(folder)).signature
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        body = Path(temporary, "record.json")
        body.write_text(json.dumps({"dataframe_records": _first_record(folder)}))
        kinds = {
            "portable": str(folder),
            "Spark flavour": _spark_model(model),
            "does nothing": _floor(Path(temporary, "nothing"), signature),
            "does nothing, no signature": _floor(Path(temporary, "bare"), None),
        }
        services = {name: stack.enter_context(served(uri)) for name, uri in kinds.items()}
        for name, one in services.items():
            if failed := figures(ask(one, body, *WARM_UP))["errors"]:
                raise click.ClickException(f"{failed} requests to the service {name!r} failed")
        rows: list[dict[str, Any]] = []
        for clients in CLIENTS:
            for name, one in services.items():
                load = ("-c", str(clients), "-z", f"{SECONDS}s")
                rows.append({"service": name, "clients": clients, **figures(ask(one, body, *load))})
        memory = {name: round(one.memory()) for name, one in services.items()}
        start = {name: round(one.start, 1) for name, one in services.items()}
    p50 = {row["service"]: row["p50 ms"] for row in rows if row["clients"] == 1}
    ours, spark, floor, bare = (p50[name] for name in kinds)
    facts = {
        "median for one client, as a multiple of a model that does nothing": round(ours / floor, 2),
        "the same, relative to one without a signature to check": round(ours / bare, 2),
        "median for one client, times faster than the Spark flavour": round(spark / ours, 1),
        "start, s": start,
        "resident memory after the load, MB": memory,
    }
    report("service", rows, facts)


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
