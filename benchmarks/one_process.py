"""The project's commands in one process, so that a workflow starts one JVM instead of one a step.

Each step still gets its command line from MLproject, a Spark session of its own, and its inputs from the
store alone. Only the start of processes is left out, and steps in the background are waited for.
"""

import importlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO


class OneProcess:
    """A process that runs commands of a copy of the project, one after another."""

    def __init__(self, checkout: Path) -> None:
        """Start the process; `close` ends it.

        Args:
            checkout: The copy.
        """
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            # -P: the script's own folder is not on the path.
            [sys.executable, "-P", str(Path(__file__))],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(
        self, step: str, words: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a step's command, and return how it ended.

        Args:
            step: The step.
            words: The command's options.
            environment: Variables to set.

        Raises:
            RuntimeError: The process ended.
        """
        said = [Path(self.folder.name, name) for name in ("stdout", "stderr")]
        asked = {"step": step, "words": list(words), "environment": dict(environment)}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**asked, "said": [str(path) for path in said]}) + "\n")
        self.process.stdin.flush()
        code = self.process.stdout.readline()
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in said]
        if not code:
            raise RuntimeError(f"the process of the commands ended: {texts[1][-500:]}")
        return subprocess.CompletedProcess([step, *words], int(code), *texts)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


class DoneStep:
    """A step that has run; MLflow asks it as it asks a process."""

    # Of no process: what is started in the background gets a lower priority.
    pid = 2**31 - 1

    def __init__(self, run_id: str, code: int) -> None:
        """Keep how a run ended."""
        self.run_id, self.code, self.command_proc = run_id, code, self

    def wait(self) -> bool:
        """Return whether the step succeeded."""
        return self.code == 0

    def get_status(self) -> str:
        """Return how the run ended."""
        return "FINISHED" if self.wait() else "FAILED"

    def cancel(self) -> None:
        """Do nothing: the step has ended."""


def _serve(asked: TextIO, answers: TextIO) -> None:
    """Run the commands that are asked for, a line each."""
    _take_over()
    for line in asked:
        ask = json.loads(line)
        for number, path in enumerate(ask["said"], 1):
            with open(path, "wb") as file:
                os.dup2(file.fileno(), number)
        os.environ.update(ask["environment"])
        code = _in_thread(ask["step"], ask["words"])
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(f"{code}\n")
        answers.flush()


def _take_over() -> None:
    """Make MLflow run a step's command here, where it would start a process."""
    from mlflow.projects.backend import local
    from mlflow.projects.utils import get_run_env_vars

    from common.store import submit

    def run(command: str, work_dir: str, experiment_id: str, run_id: str) -> DoneStep:
        os.environ.update(get_run_env_vars(run_id, experiment_id))
        # python -m steps.NAME and its options
        _, _, module, *words = shlex.split(command)
        return DoneStep(run_id, _in_thread(module.removeprefix("steps."), words))

    vars(local).update(_run_entry_point=run)
    # There is no other process to lend Spark to, nor to fork.
    vars(submit).update(lend_spark=nullcontext, _offered=nullcontext)


def _in_thread(step: str, words: Sequence[str]) -> int:
    """Run a command in a thread of its own, since each has one stack of active runs; return its code."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(_run(step, words)))
    thread.start()
    thread.join()
    return codes[0]


def _run(step: str, words: Sequence[str]) -> int:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    try:
        importlib.import_module(f"steps.{step}").__dict__[step].main(list(words))
        return 0
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        if SparkContext._active_spark_context is not None:
            SparkSession.builder.getOrCreate().stop()


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w") as told:
        _serve(sys.stdin, told)
