"""Build a container image that serves a model: `make image`.

Not an entry point: the Docker engine stores the image, not a run.
"""

import shutil
import subprocess
from importlib.metadata import version as installed

import click
from mlflow.models import Model, build_docker

from common import CHAMPION_URI, PROJECT, ROOT, service
from common.errors import UserError
from common.store.artifacts import model_folder
from steps.command import command

DOCKERFILE = ROOT / "conf" / "image" / "Dockerfile"
# What the service needs, and a model does not.
METRICS = "prometheus-client"


@command("image")
@click.option("--model", default=CHAMPION_URI, help="URI of the model.")
@click.option("--name", default=PROJECT, help="Name of the image.")
def image(model: str, name: str) -> None:
    """Build an image: MLflow's own, reduced, and with the service added (conf/image/Dockerfile)."""
    _check_engine()
    folder = model_folder(model)
    version = Model.load(str(folder)).flavors["python_function"]["python_version"]
    built = f"{name}-build"
    build_docker(model_uri=str(folder), name=built, env_manager="local")
    added = f"{METRICS}=={installed(METRICS)}"
    given = {"BASE": f"python:{version}-slim", "BUILT": built, "ADDED": added}
    arguments = [f"--build-arg={key}={value}" for key, value in given.items()]
    command = ["docker", "build", "-t", name, "-f", str(DOCKERFILE), *arguments, *service.__path__]
    subprocess.run(command, check=True)
    click.echo(f"image {name}: docker run --rm -p 127.0.0.1:8080:8080 {name}")


def _check_engine() -> None:
    """Raise UserError if no Docker engine answers."""
    if not shutil.which("docker"):
        raise UserError("docker is needed to build an image, and there is none on PATH")
    asked = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True)
    if asked.returncode:
        said = asked.stderr.decode().strip().splitlines() or ["no answer"]
        raise UserError(f"docker is needed to build an image, and its engine does not answer: {said[-1]}")


if __name__ == "__main__":
    image()
