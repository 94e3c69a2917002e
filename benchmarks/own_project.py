"""A copy of the project with a store of its own, in which commands run as a user types them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run

from common.store import tracking

from .one_process import OneProcess


class CommandFailed(Exception):
    """A command of the project ended with an error; the text is its last line."""


@dataclass(frozen=True)
class OwnProject:
    """A copy of the project, and a store.

    Attributes:
        checkout: The folder of the copy.
        uri: The store.
        experiment: Id of the experiment in which commands run.
        process: The process in which commands run; None: each in one of its own, as a user's do.
    """

    checkout: Path
    uri: str
    experiment: str
    process: OneProcess | None = None

    @classmethod
    def in_folder(cls, checkout: Path, folder: Path, process: OneProcess | None = None) -> "OwnProject":
        """Create an empty store in a folder, and make this process use it too.

        Args:
            checkout: The copy of the project; several stores can share one.
            folder: The folder.
            process: The process in which commands run; None: each in one of its own.
        """
        uri = f"sqlite:///{folder}/mlflow.db"
        mlflow.set_tracking_uri(uri)
        experiment = MlflowClient(uri).create_experiment("any_table", (folder / "runs").as_uri())
        return cls(checkout, uri, experiment, process)

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a command uses this store and this environment's programs."""
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_EXPERIMENT_ID": self.experiment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def command(self, step: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a step's command, and return how it ended.

        Args:
            step: The step.
            options: Its options by parameter.
        """
        given = [part for name, value in options.items() for part in (_flag(name), str(value))]
        # With so little data the optimising compiler does not pay off.
        environment = {**self.environment, "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
        if self.process is not None:
            return self.process.run(step, given, environment)
        words = [sys.executable, "-m", f"steps.{step}", *given]
        everything = {**os.environ, **environment}
        return subprocess.run(
            words, cwd=self.checkout, env=everything, text=True, capture_output=True, check=False
        )

    def run(self, step: str, **options: object) -> str:
        """Run a step's command, and return what it printed.

        Raises:
            CommandFailed: It ended with an error.
        """
        done = self.command(step, **options)
        if done.returncode:
            raise CommandFailed(f"{step}: {last_line(done.stderr)}")
        return done.stdout

    def step_run(self, step: str) -> Run:
        """Return the newest finished run of a step."""
        return tracking.find_finished({tracking.STEP: step}, self.experiment)[0]


def last_line(text: str) -> str:
    """Return the last line that is not blank; empty if there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
