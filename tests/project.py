"""A copy of the project with its own store; entry points are run by the real command."""

import os
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

from mlflow import MlflowClient

from common.machine.spark_settings import FIRST_COMPILER
from tests.checkout import ROOT as ROOT  # many tests import it from here
from tests.checkout import copy_project

MAIN = {
    "profile": "minimal",
    "profile_rows": 200,
    "folds": 2,
    "generations": 2,
    "population": 3,
    "space": '{"maxDepth": {"low": 1, "high": 3}, "maxIter": {"low": 1, "high": 4}}',
    "grid": '{"maxDepth": [2], "maxIter": [2, 4], "stepSize": [0.3]}',
}

# With so little data the optimising compiler does not pay off.
BRIEF_JAVA = " ".join(FIRST_COMPILER)


def table(output):
    """Return the run of each step in main's table, and whether it is new."""
    lines = output.split("seconds\n", 1)[1].split("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:3] for line in lines}


class Project:
    """The copy; main starts at once, beside the other tests, and is waited for when needed."""

    mlflow = ("mlflow",)

    def __init__(self, folder, source):
        self.folder, self.source, self.checkout = folder, source, folder / "it's my checkout"
        copy_project(self.checkout)
        self.uri = f"sqlite:///{folder}/mlflow.db"
        self.client = MlflowClient(self.uri)
        self.experiment = self.client.create_experiment("e2e", (folder / "runs").as_uri())
        self.main = self._start("main", MAIN)

    def _start(self, entry_point, parameters):
        command = [*self.mlflow, "run", ".", "-e", entry_point, "--env-manager", "local"]
        origin = {} if entry_point in ("predict", "report") else {"source": self.source}
        for name, value in {**origin, **parameters}.items():
            command += ["-P", f"{name}={value}"]
        environment = {
            **os.environ,
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_EXPERIMENT_ID": self.experiment,
            "JDK_JAVA_OPTIONS": BRIEF_JAVA,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        # Files instead of pipes: nothing reads them while main runs beside the other tests.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                command, env=environment, cwd=self.checkout, stdout=out, stderr=err
            )
            return process, os.fdopen(os.dup(out.fileno())), os.fdopen(os.dup(err.fileno()))

    def finish(self, started):
        process, out, err = started
        code = process.wait()
        with out, err:
            out.seek(0)
            err.seek(0)
            return SimpleNamespace(returncode=code, stdout=out.read(), stderr=err.read())

    @cached_property
    def done_main(self):
        """What main printed, once it has ended."""
        done = self.finish(self.main)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def runs(self, **tags):
        found = self.client.search_runs([self.experiment], max_results=1000)
        return [run for run in found if tags.items() <= run.data.tags.items()]

    def run(self, entry_point, **parameters):
        return self.finish(self._start(entry_point, parameters))
