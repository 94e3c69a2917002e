"""The run of a step: its inputs, its Spark session, and the place of its results."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.environment_variables import MLFLOW_RUN_ID
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.types.schema import SparkMLVector
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from common.data.spec import DatasetSpec
from common.data.spec_yaml import to_yaml
from common.errors import UserError
from common.learning.vectorizer import FEATURES
from common.machine import copies
from common.machine.lost_jvm import lost_jvm, was_interrupted
from common.machine.process import is_in_background
from common.machine.secrets import masked
from common.machine.spark import get_session, name_jobs
from common.machine.threads import in_thread
from common.store import artifacts, experiment, frames, get_or_run, kept, liveness, logged_data, tracking
from common.store.locations import local_path
from common.store.opening import open_store
from common.store.spark_models import log_spark_model
from common.store.staging import staging_folder
from common.workflow.declaration import SEARCHES, STEPS, as_text, outputs

log = logging.getLogger(__name__)

Tell = Callable[[str], None]

# Up to this many bytes of input (text for load_data, Parquet for the others), a step ends before Java's
# second compiler has paid for itself. Measured.
BRIEF_BYTES = {"load_data": 120_000_000, "eda": 2_000_000, "split": 2_000_000, "featurize": 2_000_000}


# Metrics of a split: the number of training rows, and of those with the rarest label.
TRAIN_ROWS, RAREST_ROWS = "train_rows", "train_rows_of_rarest_label"
REPEATED_ROWS = "repeated_rows"
# Tag of eda: what its profile is of.
PROFILED = "profiled"


class Run:
    """The active run of a step: reads its inputs and logs its results."""

    def __init__(
        self, step: str, active: mlflow.ActiveRun, parameters: Mapping[str, str], tell: Tell = log.info
    ) -> None:
        """Wrap an active MLflow run.

        Args:
            step: The name of the step.
            active: MLflow's active run.
            parameters: The parameters as text, with the URIs of inputs resolved.
            tell: A function that shows a line to the user.
        """
        self.step, self.active, self.parameters, self.tell = step, active, parameters, tell
        # The size of an input that no earlier step has logged; None: unknown.
        self.input_bytes: int | None = None
        # A session that is starting in the background.
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
        """Whether the user started this step, rather than main or a step that needs its result."""
        return tracking.PARENT not in self.active.data.tags

    @property
    def shows_bar(self) -> bool:
        """Whether to show a progress bar: in a terminal, unless the step runs in the background."""
        return sys.stderr.isatty() and not is_in_background()

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark session, started on first use."""
        session = self.starting.result() if self.starting is not None else self._start_session()
        name_jobs(session, self.id, f"{self.step}, run {self.id}", in_background=is_in_background())
        mlflow.set_tag(tracking.APPLICATION, session.sparkContext.applicationId)
        if STEPS[self.step].outputs:
            # Fail before the work, not after it, if a cluster has no shared folder.
            staging_folder(session)
        return session

    def _start_session(self) -> SparkSession:
        # A search shows a bar of its own on that line.
        shows_stages = self.shows_bar and self.step not in SEARCHES
        return get_session(shows_stages=shows_stages, brief=self._is_brief())

    def _is_brief(self) -> bool:
        if self.step not in BRIEF_BYTES:
            return False
        size = self.input_bytes
        # Every step but load_data, which has no inputs, reads the artifacts of one step.
        for name in STEPS[self.step].inputs:
            size = artifacts.artifact_bytes(self.uri(name))
        return size is not None and size <= BRIEF_BYTES[self.step]

    def uri(self, name: str, path: str = "") -> str:
        """Return the URI of an input, or of a path in it."""
        return f"{self.parameters[name]}/{path}".rstrip("/")

    def artifact_uri(self, path: str) -> str:
        """Return the URI of an artifact of this run."""
        return f"runs:/{self.id}/{path}"

    def frame(self, name: str, path: str = "") -> DataFrame:
        """Read an input as a frame, or the frame at a path in it."""
        return frames.read_frame(self.spark, self.uri(name, path))

    def dataset(self, name: str) -> DatasetSpec:
        """Return the spec of the data set, which every step logs beside its frames."""
        _, artifact = STEPS[self.step].inputs[name]
        return get_or_run.dataset_at(self.uri(name).removesuffix(f"/{artifact}"))

    def log_dataset(self, spec: DatasetSpec) -> None:
        """Log the spec of the data set beside the frames."""
        artifacts.log_text(to_yaml(spec), "dataset.yaml")

    def log_frame(self, path: str, frame: DataFrame) -> None:
        """Log a frame."""
        frames.log_frame(frame, path)

    def kept_frame(self, path: str) -> DataFrame:
        """Read back a frame that this run has logged."""
        return frames.read_frame(self.spark, self.artifact_uri(path))

    def log_data(self, spec: DatasetSpec, frame: DataFrame, path: str, digest: str, context: str) -> None:
        """List logged rows as a data set of the run."""
        logged_data.log_data(frame, spec, self.artifact_uri(path), digest, context)

    def log_text(self, path: str, text: str) -> None:
        """Log text."""
        artifacts.log_text(text, path)

    def log_file(self, path: Path) -> None:
        """Log a file."""
        mlflow.log_artifact(str(path))

    def log_files(self, path: str, files: Mapping[str, bytes]) -> None:
        """Log files into a folder."""
        artifacts.log_files(files, path)

    def describe(self, text: str) -> None:
        """Show Markdown on the run's page."""
        tracking.describe_run(text)

    def log_vectorizer(self, vectorizer: PipelineModel, spec: DatasetSpec) -> None:
        """Log the fitted vectoriser as a Spark model."""
        log_spark_model(vectorizer, "vectorizer", spec, {FEATURES: SparkMLVector()})

    def log_table(self, path: str, table: pd.DataFrame) -> None:
        """Log a table as CSV."""
        artifacts.log_table(table, path)

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics."""
        mlflow.log_metrics(dict(metrics))

    def tag(self, **tags: object) -> None:
        """Set tags."""
        mlflow.set_tags({name: masked(str(value)) for name, value in tags.items()})


@contextmanager
def start_run(name: str, tell: Tell = log.info) -> Iterator[mlflow.ActiveRun]:
    """Open the run of an entry point, and end runs that killed processes left open.

    Args:
        name: The name of the entry point.
        tell: A function that shows a line to the user.

    Raises:
        UserError: The store was moved or copied here, the run's artifacts cannot be written, or Spark's
            JVM was killed.
    """
    open_store()
    with _started(name) as active:
        mlflow.set_tags({"mlflow.runName": name, tracking.STEP: name})
        # Steps started from here get the experiment by id, and MLflow accepts no name beside it.
        os.environ.pop("MLFLOW_EXPERIMENT_NAME", None)
        if tracking.PARENT not in active.data.tags:
            experiment.introduce(active.info.experiment_id)
            tell(f"{name} is run {active.info.run_id}; look at it: {experiment.ui_command()}")
        tracking.mask_tags(active)
        with liveness.Heartbeat(active.info.run_id, active.info.experiment_id):
            try:
                yield active
            except Exception as error:
                killed = lost_jvm(error)
                if was_interrupted(error):
                    raise KeyboardInterrupt from None
                if killed:
                    raise UserError(killed) from None
                if isinstance(error, OSError):
                    _check_kept(error, active.info.artifact_uri)
                raise
            finally:
                copies.remove_copies()


def _check_kept(error: OSError, location: str) -> None:
    """Raise UserError if an error is about the place of a run's artifacts, or a folder above it."""
    place, at = local_path(location), error.filename
    if place is None or not isinstance(at, str):
        return
    if place.is_relative_to(at) or Path(at).is_relative_to(place):
        raise UserError(
            f"the artifacts of this run cannot be kept in {place}: {error.strerror}: {at}; make that "
            "a folder that can be written, or set MLFLOW_EXPERIMENT_NAME to an experiment with artifacts "
            "elsewhere (`mlflow experiments create --artifact-location`)"
        ) from None


def _started(name: str) -> mlflow.ActiveRun:
    """Start a run, or go on with the one that `mlflow run` has made, which a relative store may lack."""
    # MLflow takes it out of the environment.
    run_id = os.environ.get(MLFLOW_RUN_ID.name)
    try:
        return mlflow.start_run(run_name=name)
    except MlflowException as error:
        if run_id is None or error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        raise UserError(
            f"the store {tracking.shown_store()} has no run {run_id}, which was made for this step: "
            "MLFLOW_TRACKING_URI must name the same store in every folder, so give an absolute path"
        ) from None


@contextmanager
def start_step(name: str, given: Mapping[str, object], tell: Tell = log.info) -> Iterator[Run]:
    """Open the run of a step, and first get or run the steps whose results it needs.

    The run is tagged with its key, by which later steps find it once it has finished.

    Args:
        name: The name of the step.
        given: All parameters of the step.
        tell: A function that shows a line to the user.
    """
    parameters = {key: as_text(value) for key, value in given.items()}
    starting = _start_beside(name, parameters)
    with start_run(name, tell) as active:
        inputs = get_or_run.resolve_inputs(name, parameters, active.info.experiment_id)
        parameters |= inputs
        parameters |= get_or_run.resolve_learner(parameters)
        tags = {tracking.KEY: get_or_run.step_key(name, parameters)}
        for key, uris in inputs.items():
            tags |= tracking.list_tags(tracking.INPUT + key, uris.split(","))
        mlflow.set_tags(tags)
        run = Run(name, active, parameters, tell)
        run.starting = starting
        yield run
        if STEPS[name].outputs:
            kept.note_kept(run.id, outputs(name, parameters))


def _start_beside(name: str, parameters: Mapping[str, str]) -> Future[SparkSession] | None:
    """Start the session of a search while its run is opened: it does not depend on the store."""
    waits = any(parameters[given] == "auto" for given in STEPS[name].inputs)
    if name not in SEARCHES or waits:
        return None
    return in_thread(get_session)
