"""Get or run: reuse a finished run of a step, or run the step."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import mlflow
from mlflow.entities import Run
from mlflow.exceptions import ExecutionException
from mlflow.projects import SubmittedRun

from common.data import elsewhere
from common.data.fetch import locate
from common.data.infer import find_given
from common.data.spec import DatasetSpec
from common.data.spec_yaml import parse_spec
from common.errors import StepFailed, UserError
from common.learning.learners import DEFAULT, default_learner, get_learner
from common.learning.tasks import AUTO
from common.store import artifacts, kept, tracking
from common.store.conf import load_gates, load_grid, load_space
from common.store.submit import end_run, lost_spark, submit, submit_in_background
from common.workflow.declaration import ORIGIN, SEARCHES, STEPS, as_text, entry_defaults, outputs
from common.workflow.fingerprint import source_fingerprint

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepRun:
    """A finished run of a step."""

    step: str
    run_id: str
    reused: bool
    seconds: float

    def uri(self, artifact: str = "") -> str:
        """Return the URI of the run's artifacts, or of one of them."""
        return f"runs:/{self.run_id}/{artifact}".rstrip("/")

    def dataset(self) -> DatasetSpec:
        """Return the spec of the data set, which every step logs beside its frames."""
        return dataset_at(self.uri())


def get_or_run(
    step: str, parameters: Mapping[str, object], use_cache: bool = True, experiment_id: str = "0"
) -> StepRun:
    """Return a finished run of a step with these parameters; if there is none, run the step.

    A run is reused if its step, its parameters (including the URIs of its inputs), the content of the
    source and the code that the step imports are the same, and its artifacts still exist.

    Args:
        step: The entry point.
        parameters: The parameters that differ from the entry point's defaults. An input that is missing
            or `auto` is resolved first: the step that produces it is reused or run.
        use_cache: Whether this step may be reused.
        experiment_id: The experiment in which to find and create runs.

    Raises:
        StepFailed: A step failed; its own message has the reason.
        StoreSilent: A store does not answer, so it is unknown what can be reused.
    """
    complete = _complete(step, parameters, experiment_id)
    started = time.perf_counter()
    found = _find(step, complete, experiment_id) if use_cache else None
    if found:
        return StepRun(step, found, True, time.perf_counter() - started)
    try:
        run = submit(step, complete, experiment_id)
    except ExecutionException as error:
        raise StepFailed(f"step {step} failed ({error}): see its message above") from None
    return StepRun(step, run.run_id, False, time.perf_counter() - started)


@dataclass(frozen=True)
class StartedStep:
    """A step that runs in the background in its own process, or a reused run."""

    step: str
    run_id: str
    process: SubmittedRun | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    experiment_id: str = "0"

    def wait(self) -> StepRun:
        """Return the run once it has finished.

        Raises:
            StepFailed: The step failed; its own message has the reason.
        """
        if self.process is None:
            return StepRun(self.step, self.run_id, True, 0.0)
        if not self.process.wait():
            end_run(self.run_id)
            if lost_spark(self.step):
                return get_or_run(self.step, self.parameters, False, self.experiment_id)
            raise StepFailed(f"step {self.step} failed (run {self.run_id}): see its message above")
        times = mlflow.get_run(self.run_id).info
        # A clock that was set back meanwhile leaves no duration.
        return StepRun(self.step, self.run_id, False, max(times.end_time - times.start_time, 0) / 1000)

    def cancel(self) -> None:
        """Cancel the step if it is still running."""
        if self.process is not None and self.process.get_status() == "RUNNING":
            self.process.cancel()
            end_run(self.run_id)


def get_or_start(
    step: str, parameters: Mapping[str, object], use_cache: bool = True, experiment_id: str = "0"
) -> StartedStep:
    """Return a finished run as `get_or_run` does; if there is none, start the step without waiting.

    The step runs at low priority, so that the steps beside it are not delayed.

    Args:
        step: The entry point.
        parameters: The parameters that differ from its defaults; inputs are resolved before it starts.
        use_cache: Whether this step may be reused.
        experiment_id: The experiment in which to find and create runs.
    """
    complete = _complete(step, parameters, experiment_id)
    found = _find(step, complete, experiment_id) if use_cache else None
    if found:
        return StartedStep(step, found, None)
    run = submit_in_background(step, complete, experiment_id)
    return StartedStep(step, run.run_id, run, complete, experiment_id)


def _complete(step: str, parameters: Mapping[str, object], experiment_id: str) -> dict[str, str]:
    complete = entry_defaults(step) | {name: as_text(value) for name, value in parameters.items()}
    complete |= resolve_inputs(step, complete, experiment_id)
    return complete | resolve_learner(complete)


def _find(step: str, parameters: Mapping[str, str], experiment_id: str) -> str | None:
    """Return the id of the newest finished run that can be reused for a step, if any."""
    tags = {tracking.STEP: step, tracking.KEY: step_key(step, parameters)}
    for run in tracking.find_finished(tags, experiment_id, most=None):
        if kept.has_artifacts(run.info.run_id, outputs(step, parameters)):
            return str(run.info.run_id)
        log.warning("%s of run %s lost its artifacts: it is not reused", step, run.info.run_id)
    return None


def resolve_inputs(step: str, parameters: dict[str, str], experiment_id: str = "0") -> dict[str, str]:
    """Return the URIs of a step's inputs; for `auto`, reuse or run the step that produces the input.

    Raises:
        StepFailed: A step failed.
        UserError: An input is the URI of something else.
    """
    resolved = {}
    origin = {name: parameters[name] for name in ORIGIN if name in parameters}
    for name, (upstream, artifact) in STEPS[step].inputs.items():
        uri = parameters.get(name, "auto")
        if uri == "auto":
            uri = get_or_run(upstream, origin, experiment_id=experiment_id).uri(artifact)
        resolved[name] = _check_input(name, uri.rstrip("/"), artifact)
    if parameters.get("warm_start") == "auto":
        tags = {tracking.STEP: "train_grid", f"{tracking.INPUT}features": resolved["features"]}
        tags["learner"] = (parameters | resolve_learner(parameters | resolved))["learner"]
        found = tracking.find_finished(tags, experiment_id)
        if not found:
            log.warning(
                "warm_start=auto finds no grid search of these features by learner %s: the first "
                "generation is drawn",
                tags["learner"],
            )
        resolved["warm_start"] = f"runs:/{found[0].info.run_id}" if found else "none"
    by_hand = parameters.get("version", "auto") != "auto"
    if step == "champion" and not by_hand:
        given = parameters.get("candidates", "auto")
        searches = _searches(origin, experiment_id) if given == "auto" else given.split(",")
        resolved["candidates"] = ",".join(uri.strip() for uri in searches)
    return resolved


def dataset_at(uri: str) -> DatasetSpec:
    """Return the spec of a data set from the artifacts of a step."""
    # What a run has logged stays as it is, and a search asks for it several times.
    return _kept_dataset(uri) if uri.startswith("runs:/") else _read_dataset(uri)


def _read_dataset(uri: str) -> DatasetSpec:
    return parse_spec(artifacts.read_text(f"{uri}/dataset.yaml"), uri)


_kept_dataset = lru_cache(maxsize=8)(_read_dataset)


def resolve_learner(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the learner of the features' task, if the parameters name none.

    Args:
        parameters: The parameters of a step, with inputs resolved.
    """
    if parameters.get("learner") != DEFAULT or "features" not in parameters:
        return {}
    return {"learner": default_learner(dataset_at(parameters["features"]).task)}


def _check_input(name: str, uri: str, artifact: str) -> str:
    wanted = f"runs:/<run id>/{artifact}".rstrip("/")
    _, _, path = uri.removeprefix("runs:/").partition("/")
    if uri.startswith("runs:/") and path != artifact:
        raise UserError(f"{name} must be auto or {wanted}, got {uri!r}")
    return uri


def searches_on(features: str, experiment_id: str) -> list[Run]:
    """Return all finished searches on the features with this URI, oldest first."""
    found = [
        run
        for search in SEARCHES
        for run in tracking.find_finished(
            {tracking.STEP: search, f"{tracking.INPUT}features": features}, experiment_id, most=None
        )
    ]
    return sorted(found, key=lambda run: run.info.start_time)


def _searches(origin: Mapping[str, str], experiment_id: str) -> list[str]:
    """Return the URIs of all finished searches on this workflow's features; if there are none, search."""
    features = resolve_inputs("train_grid", dict(origin), experiment_id)["features"]
    found = searches_on(features, experiment_id)
    if not found:
        return [
            get_or_run("train_grid", {**origin, "features": features}, experiment_id=experiment_id).uri()
        ]
    return [f"runs:/{run.info.run_id}" for run in found]


def step_key(step: str, parameters: Mapping[str, str]) -> str:
    """Return the key that two runs of a step share if one can be used for the other (64 hex digits).

    Args:
        step: The step.
        parameters: All of its parameters, with inputs resolved.
    """
    relevant = dict(parameters)
    content = ""
    if step == "load_data":
        given = find_given(**{name: relevant.get(name, AUTO) for name in ORIGIN})
        location = locate(given, relevant["source"])
        digest = location.digest or elsewhere.digest_of(location.uri)
        content = f"{given}{location.kind}:{digest}"
    else:
        relevant = {name: value for name, value in relevant.items() if name not in ORIGIN}
    if "grid" in relevant:
        relevant["grid"] = json.dumps(load_grid(relevant["grid"], get_learner(relevant["learner"])))
    if "space" in relevant:
        relevant["space"] = json.dumps(load_space(relevant["space"], get_learner(relevant["learner"])))
    if "gates" in relevant:
        relevant["gates"] = json.dumps(load_gates(relevant["gates"]))
    parts = [step, sorted(relevant.items()), content, source_fingerprint(STEPS[step].made_by or step)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
