"""What all steps share: how a command fails, and the MLflow run that it fills."""

import os
import shlex
import sys
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import click
import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.types.schema import SparkMLVector
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from common import copies, frames, liveness, tracking, workflow
from common.datasets import DatasetSpec, parse_spec
from common.errors import UserError, first_line
from common.learners import LEARNERS
from common.metrics import DEFAULT_METRIC, METRICS
from common.secrets import masked
from common.spark import get_session
from common.spark_models import log_spark_model
from common.staging import staging_folder
from common.store import open_store
from common.vectorizer import FEATURES

# With up to so much to read (text for load_data, Parquet for the others), measured, a step is over
# before Java's second compiler has paid for itself.
BRIEF_BYTES = {"load_data": 120_000_000, "eda": 2_000_000, "split": 2_000_000, "featurize": 2_000_000}
PROFILES = ("full", "minimal", "none")
OPEN_UNIT = click.FloatRange(0, 1, min_open=True, max_open=True)


class StepCommand(click.Command):
    """A command whose errors that a user can mend are one line, with exit code 1."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; see click.Command.main."""
        sys.excepthook = _show_masked
        tracking.hide_credentials()
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False})
        except (click.ClickException, UserError) as error:
            message = error.format_message() if isinstance(error, click.ClickException) else error
            click.echo(f"Error: {masked(str(message))}", err=True)
            sys.exit(1)
        except MlflowException as error:
            if not tracking.is_silence(error):
                raise
            silent = f"{tracking.shown_store()} does not answer: {first_line(error)}"
            click.echo(f"Error: {masked(silent)}", err=True)
            sys.exit(1)
        except click.Abort:
            click.echo("Aborted", err=True)
            sys.exit(130)


def _show_masked(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show the trace of an error of ours; a library's message may have the store's URI in it."""
    sys.stderr.write(masked("".join(traceback.format_exception(kind, error, trace))))


def step_command(name: str) -> Any:
    """Make a function the command of an entry point, with the defaults shown in its help."""
    return click.command(name, cls=StepCommand, context_settings={"show_default": True})


def origin_options(command: Any) -> Any:
    """Add --dataset and --source, which tell the steps before this one where to read."""
    dataset = click.option("--dataset", default="adult", help="Name or YAML file of the data set.")
    source = click.option(
        "--source", default="auto", help="auto, uci, sample, or a path or URI of CSV or Parquet."
    )
    return dataset(source(command))


def search_options(command: Any) -> Any:
    """Add the options of a search: what learns, how it is scored, and on how much of the machine."""
    options = (
        click.option("--learner", default="gbt", help="What learns: one of " + ", ".join(LEARNERS) + "."),
        click.option("--folds", default=5, type=click.IntRange(2), help="Of the cross-validation."),
        click.option(
            "--metric", default=DEFAULT_METRIC, type=click.Choice(METRICS), help="That chooses the best."
        ),
        click.option("--engine", default="auto", help="boosting, mllib; auto: the learner's fastest."),
        click.option(
            "--parallelism", default=0, type=click.IntRange(0), help="Fits at once; 0: to fill all cores."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def breeding_options(least: int) -> Any:
    """Return a decorator that adds the options that say how long a genetic search goes on.

    Args:
        least: generations that may be asked for: 1, or 0 where the search may be left out.
    """
    options = (
        click.option(
            "--generations",
            default=10,
            type=click.IntRange(least),
            help="Of the genetic search, at the most" + ("; 0: none." if least == 0 else "."),
        ),
        click.option(
            "--population", default=16, type=click.IntRange(3), help="Candidates of a generation."
        ),
        click.option(
            "--patience",
            default=4,
            type=click.IntRange(1),
            help="Generations without a better best after which it ends.",
        ),
    )

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def verdict_options(command: Any) -> Any:
    """Add the options that say on what terms a version becomes champion."""
    margin = click.option(
        "--margin",
        default="auto",
        help="By how much a champion must be beaten, in the metric's unit; auto: one standard error.",
    )
    gates = click.option(
        "--gates",
        default="none",
        help="What a champion must keep: a name under conf/gates, a YAML file, or JSON; none.",
    )
    return margin(gates(command))


class Run:
    """The active run of a step: its inputs, and where its results are kept."""

    def __init__(self, step: str, active: mlflow.ActiveRun, parameters: dict[str, str]) -> None:
        self.step = step
        self.active = active
        self.parameters = parameters
        # Of what a step reads that no step before it has kept; None: not known.
        self.input_bytes: int | None = None
        # Of the session, where it was started beside the store.
        self.starting: Future[SparkSession] | None = None

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.active.info.run_id)

    @property
    def experiment_id(self) -> str:
        """The experiment that the run is in."""
        return str(self.active.info.experiment_id)

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark session, started when it is first needed."""
        session = self.starting.result() if self.starting is not None else self._start_session()
        if workflow.GRAPH[self.step].outputs:
            # Better now than after the work: a cluster may have no folder that is everybody's.
            staging_folder(session)
        return session

    def _start_session(self) -> SparkSession:
        # A search's own bar has the terminal's line to itself, beside a step in the background too.
        in_front = os.getpriority(os.PRIO_PROCESS, 0) <= 0
        shows_stages = sys.stderr.isatty() and in_front and self.step not in workflow.SEARCHES
        return get_session(shows_stages=shows_stages, brief=self._is_brief())

    def _is_brief(self) -> bool:
        if self.step not in BRIEF_BYTES:
            return False
        size = self.input_bytes
        # All but load_data, which has none, read one step's artifacts.
        for name in workflow.GRAPH[self.step].inputs:
            size = tracking.artifact_bytes(self.uri(name))
        return size is not None and size <= BRIEF_BYTES[self.step]

    def uri(self, name: str, path: str = "") -> str:
        """URI of an input, or of something in it."""
        return f"{self.parameters[name]}/{path}".rstrip("/")

    def artifact_uri(self, path: str) -> str:
        """URI of something that this run keeps."""
        return f"runs:/{self.id}/{path}"

    def frame(self, name: str, path: str = "") -> DataFrame:
        """Read an input, or the frame of this name in it."""
        return frames.read_frame(self.spark, self.uri(name, path))

    def dataset(self, name: str) -> DatasetSpec:
        """Return the data set's spec, which every step of the chain leaves beside its frames."""
        _, artifact = workflow.GRAPH[self.step].inputs[name]
        uri = self.uri(name).removesuffix(f"/{artifact}")
        return parse_spec(tracking.read_text(f"{uri}/dataset.yaml"), uri)

    def log_dataset(self, spec: DatasetSpec) -> None:
        """Leave the data set's spec beside the frames."""
        tracking.log_text(spec.to_yaml(), "dataset.yaml")

    def log_frame(self, path: str, frame: DataFrame) -> None:
        """Keep a frame."""
        frames.log_frame(frame, path)

    def kept_frame(self, path: str) -> DataFrame:
        """Read back a frame that this run has kept."""
        return frames.read_frame(self.spark, self.artifact_uri(path))

    def log_data(self, spec: DatasetSpec, frame: DataFrame, path: str, digest: str, context: str) -> None:
        """Log rows that this run keeps as data of the run."""
        tracking.log_data(frame, spec, self.artifact_uri(path), digest, context)

    def log_text(self, path: str, text: str) -> None:
        """Keep text."""
        tracking.log_text(text, path)

    def log_file(self, path: Path) -> None:
        """Keep a file."""
        mlflow.log_artifact(str(path))

    def log_files(self, path: str, files: Mapping[str, bytes]) -> None:
        """Keep files in a folder."""
        tracking.log_files(files, path)

    def describe(self, text: str) -> None:
        """Show Markdown on the run's page."""
        tracking.describe_run(text)

    def log_vectorizer(self, vectorizer: PipelineModel, spec: DatasetSpec) -> None:
        """Keep the fitted vectoriser as a Spark model."""
        log_spark_model(vectorizer, "vectorizer", spec, {FEATURES: SparkMLVector()})

    def log_table(self, path: str, table: pd.DataFrame) -> None:
        """Keep a table as CSV."""
        tracking.log_table(table, path)

    def tag(self, **tags: object) -> None:
        """Set tags."""
        mlflow.set_tags({name: masked(str(value)) for name, value in tags.items()})


def ui_command() -> str:
    """Return what shows the store's runs: the command that serves it, or the address it is served at."""
    store = tracking.shown_store()
    return store if store.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(store)}"


@contextmanager
def start_run(name: str) -> Iterator[mlflow.ActiveRun]:
    """Open the run of an entry point, and end those that a kill has left open."""
    open_store()
    with mlflow.start_run(run_name=name) as active:
        mlflow.set_tags({"mlflow.runName": name, tracking.STEP: name})
        if tracking.PARENT not in active.data.tags:
            click.echo(f"{name} is run {active.info.run_id}; look at it: {ui_command()}")
        tracking.mask_tags(active)
        with liveness.Heartbeat(active.info.run_id, active.info.experiment_id):
            try:
                yield active
            finally:
                copies.remove_copies()


@contextmanager
def step(name: str) -> Iterator[Run]:
    """Open the run of a step: inputs at `auto` are got or run first, below it.

    The run carries the key by which a later one finds it, and only once it has finished.
    """
    parameters = {key: _text(value) for key, value in click.get_current_context().params.items()}
    starting = _start_beside(name, parameters)
    with start_run(name) as active:
        inputs = workflow.resolve_inputs(name, parameters, active.info.experiment_id)
        parameters |= inputs
        tags = {tracking.KEY: workflow.step_key(name, parameters)}
        for key, uris in inputs.items():
            tags |= tracking.list_tags(tracking.INPUT + key, uris.split(","))
        mlflow.set_tags(tags)
        run = Run(name, active, parameters)
        run.starting = starting
        yield run


def _start_beside(name: str, parameters: Mapping[str, str]) -> Future[SparkSession] | None:
    """Start a search's session while its run is opened: nothing in the store says how."""
    waits = any(parameters[given] == "auto" for given in workflow.GRAPH[name].inputs)
    if name not in workflow.SEARCHES or waits:
        return None
    pool = ThreadPoolExecutor(1)
    starting = pool.submit(get_session)
    pool.shutdown(wait=False)
    return starting


def _text(value: object) -> str:
    """Return a parameter's value as MLproject writes it, so that its key is the same."""
    return str(value).lower() if isinstance(value, bool) else str(value)
