"""The run that a step fills: its inputs, its session, and where its results are kept."""

import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.types.schema import SparkMLVector
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from common.data.spec import DatasetSpec, parse_spec
from common.learning.vectorizer import FEATURES
from common.machine import copies
from common.machine.secrets import masked
from common.machine.spark import get_session
from common.store import artifacts, experiment, frames, get_or_run, liveness, logged_data, tracking
from common.store.opening import open_store
from common.store.spark_models import log_spark_model
from common.store.staging import staging_folder
from common.workflow.declaration import SEARCHES, STEPS, as_text

log = logging.getLogger(__name__)

Tell = Callable[[str], None]

# With up to so much to read (text for load_data, Parquet for the others), measured, a step is over
# before Java's second compiler has paid for itself.
BRIEF_BYTES = {"load_data": 120_000_000, "eda": 2_000_000, "split": 2_000_000, "featurize": 2_000_000}


class Run:
    """The active run of a step: its inputs, and where its results are kept."""

    def __init__(
        self, step: str, active: mlflow.ActiveRun, parameters: Mapping[str, str], tell: Tell = log.info
    ) -> None:
        """Take what the run is of.

        Args:
            step: of the declaration.
            active: MLflow's run.
            parameters: as text, inputs resolved.
            tell: is given what a user is to read.
        """
        self.step, self.active, self.parameters, self.tell = step, active, parameters, tell
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

    @property
    def is_alone(self) -> bool:
        """Whether it was started by itself, not below a workflow or a step that needs it."""
        return tracking.PARENT not in self.active.data.tags

    @property
    def shows_bar(self) -> bool:
        """Whether a bar can be shown; beside a step in the background the line is another's."""
        return sys.stderr.isatty() and os.getpriority(os.PRIO_PROCESS, 0) <= 0

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark session, started when it is first needed."""
        session = self.starting.result() if self.starting is not None else self._start_session()
        if STEPS[self.step].outputs:
            # Better now than after the work: a cluster may have no folder that is everybody's.
            staging_folder(session)
        return session

    def _start_session(self) -> SparkSession:
        # A search's own bar has the terminal's line to itself.
        shows_stages = self.shows_bar and self.step not in SEARCHES
        return get_session(shows_stages=shows_stages, brief=self._is_brief())

    def _is_brief(self) -> bool:
        if self.step not in BRIEF_BYTES:
            return False
        size = self.input_bytes
        # All but load_data, which has none, read one step's artifacts.
        for name in STEPS[self.step].inputs:
            size = artifacts.artifact_bytes(self.uri(name))
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
        _, artifact = STEPS[self.step].inputs[name]
        uri = self.uri(name).removesuffix(f"/{artifact}")
        return parse_spec(artifacts.read_text(f"{uri}/dataset.yaml"), uri)

    def log_dataset(self, spec: DatasetSpec) -> None:
        """Leave the data set's spec beside the frames."""
        artifacts.log_text(spec.to_yaml(), "dataset.yaml")

    def log_frame(self, path: str, frame: DataFrame) -> None:
        """Keep a frame."""
        frames.log_frame(frame, path)

    def kept_frame(self, path: str) -> DataFrame:
        """Read back a frame that this run has kept."""
        return frames.read_frame(self.spark, self.artifact_uri(path))

    def log_data(self, spec: DatasetSpec, frame: DataFrame, path: str, digest: str, context: str) -> None:
        """Log rows that this run keeps as data of the run."""
        logged_data.log_data(frame, spec, self.artifact_uri(path), digest, context)

    def log_text(self, path: str, text: str) -> None:
        """Keep text."""
        artifacts.log_text(text, path)

    def log_file(self, path: Path) -> None:
        """Keep a file."""
        mlflow.log_artifact(str(path))

    def log_files(self, path: str, files: Mapping[str, bytes]) -> None:
        """Keep files in a folder."""
        artifacts.log_files(files, path)

    def describe(self, text: str) -> None:
        """Show Markdown on the run's page."""
        tracking.describe_run(text)

    def log_vectorizer(self, vectorizer: PipelineModel, spec: DatasetSpec) -> None:
        """Keep the fitted vectoriser as a Spark model."""
        log_spark_model(vectorizer, "vectorizer", spec, {FEATURES: SparkMLVector()})

    def log_table(self, path: str, table: pd.DataFrame) -> None:
        """Keep a table as CSV."""
        artifacts.log_table(table, path)

    def tag(self, **tags: object) -> None:
        """Set tags."""
        mlflow.set_tags({name: masked(str(value)) for name, value in tags.items()})


def ui_command() -> str:
    """Return what shows the store's runs: the command that serves it, or the address it is served at."""
    store = tracking.shown_store()
    return store if store.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(store)}"


def where_to_look(experiment_id: str) -> str:
    """Return what shows the store's runs, and the address of their table."""
    address = experiment.table_address(experiment_id)
    store = tracking.shown_store()
    return address if store.startswith("http") else f"{ui_command()}\n            {address}"


@contextmanager
def start_run(name: str, tell: Tell = log.info) -> Iterator[mlflow.ActiveRun]:
    """Open the run of an entry point, and end those that a kill has left open.

    Args:
        name: of the entry point.
        tell: is given what a user is to read.
    """
    open_store()
    with mlflow.start_run(run_name=name) as active:
        mlflow.set_tags({"mlflow.runName": name, tracking.STEP: name})
        # The run has its experiment. A step that it starts is told that by id, and takes no name besides.
        os.environ.pop("MLFLOW_EXPERIMENT_NAME", None)
        if tracking.PARENT not in active.data.tags:
            experiment.introduce(active.info.experiment_id)
            tell(f"{name} is run {active.info.run_id}; look at it: {ui_command()}")
        tracking.mask_tags(active)
        with liveness.Heartbeat(active.info.run_id, active.info.experiment_id):
            try:
                yield active
            finally:
                copies.remove_copies()


@contextmanager
def start_step(name: str, given: Mapping[str, object], tell: Tell = log.info) -> Iterator[Run]:
    """Open the run of a step: inputs at `auto` are got or run first, below it.

    The run carries the key by which a later one finds it, and only once it has finished.

    Args:
        name: of the step.
        given: all of its parameters.
        tell: is given what a user is to read.
    """
    parameters = {key: as_text(value) for key, value in given.items()}
    starting = _start_beside(name, parameters)
    with start_run(name, tell) as active:
        inputs = get_or_run.resolve_inputs(name, parameters, active.info.experiment_id)
        parameters |= inputs
        tags = {tracking.KEY: get_or_run.step_key(name, parameters)}
        for key, uris in inputs.items():
            tags |= tracking.list_tags(tracking.INPUT + key, uris.split(","))
        mlflow.set_tags(tags)
        run = Run(name, active, parameters, tell)
        run.starting = starting
        yield run


def _start_beside(name: str, parameters: Mapping[str, str]) -> Future[SparkSession] | None:
    """Start a search's session while its run is opened: nothing in the store says how."""
    waits = any(parameters[given] == "auto" for given in STEPS[name].inputs)
    if name not in SEARCHES or waits:
        return None
    pool = ThreadPoolExecutor(1)
    starting = pool.submit(get_session)
    pool.shutdown(wait=False)
    return starting
