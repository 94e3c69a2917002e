"""The model registry: versions of a model, each the winner of a search, and the champion among them."""

import json
import re
from collections.abc import Mapping, Sequence

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Run, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.logging_utils import disable_logging, enable_logging

from common import DATASET, PROJECT
from common.champion.verdict import Contestant, Incomparable
from common.data.target import BINARY
from common.errors import UserError
from common.learning.tasks import AUTO
from common.store import tracking
from common.store.kept import has_artifacts

CHAMPION = "champion"

# The artifact of a search that a version is.
MODEL = "portable-model"
# Tags of a version and of its search.
SEARCH, METRIC, FOLD_SCORES, FOLDS_DIGEST = "search", "metric", "fold_scores", "folds_digest"
# The metric on each fold as the model predicts, if its threshold matters to it: at a threshold that was
# given, or that the other folds choose.
THRESHOLD_SCORES = "fold_scores_at_threshold"
TEST_DIGEST = "test_digest"
# The task; the number of labels, and their digest.
TASK, LABELS, LABELS_DIGEST = "task", "labels", "labels_digest"
# Of a vote: the weight of each search's winner.
MEMBERS = "members"
# What the scores do not say by themselves, a line each.
NOTES = "notes"
COPIED = (
    *("dataset", TASK, LABELS, LABELS_DIGEST, "source", METRIC, FOLDS_DIGEST, FOLD_SCORES),
    *(THRESHOLD_SCORES, "train_digest", TEST_DIGEST, "learner", "engine", "fitted_by", MEMBERS, NOTES),
)
# Tag of a version: the reason for its verdict.
REASON = "reason"
# Tag of a champion: the previous champion's version. Tag of the latter: the version that replaced it.
FOLLOWS, FOLLOWED_BY = "follows", "followed_by"


def present_champion(name: str) -> ModelVersion | None:
    """Return the version that holds the champion alias; None if no version does."""
    try:
        return MlflowClient().get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        # MLflow reports an alias that is not set as an invalid parameter.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def model_name(name: str, dataset: str) -> str:
    """Return the name of the registered model of a data set.

    Args:
        name: The name that was asked for; AUTO for the project's own for its own data set, else the
            data set's.
        dataset: Name of the data set.
    """
    if name != AUTO:
        return name
    if dataset == PROJECT:
        # Not that of the project's own data set.
        return f"{PROJECT}-data"
    return PROJECT if dataset == DATASET else re.sub(r"[/:'\"`?#%@]", "-", dataset)


def check_name(name: str) -> None:
    """Refuse text that cannot be the name of a registered model.

    Raises:
        UserError: The name is blank, or contains a slash, colon or quote, or what has a meaning in a URI.
    """
    if not name.strip() or set(name) & set("/:'\"`?#%@"):
        raise UserError(f"name must be non-empty text without / : ? # % @ or quotes, got {name!r}")


def register(search: Run, name: str) -> ModelVersion:
    """Return the version that holds a search's winner; register it if there is none yet.

    Args:
        search: A finished search.
        name: The name of the registered model.

    Raises:
        UserError: The run is not a finished search, or has no recorded fold scores.
    """
    check_finished(search)
    run_id, tags = search.info.run_id, search.data.tags
    for version in versions_of(name):
        if version.tags.get(SEARCH) == run_id:
            return version
    copied = {SEARCH: run_id, "step": tags.get(tracking.STEP, "")}
    copied |= {key: tags[key] for key in COPIED if key in tags}
    scored = ("test_", "guess_test_", f"val_{tags[METRIC]}")
    metrics = sorted(search.data.metrics.items())
    copied |= {k: repr(v) for k, v in metrics if k.startswith(scored) or k == "threshold"}
    copied |= {k: v for k, v in search.data.params.items() if k.startswith(("best_", "weight_"))}
    # MLflow would announce the new version, which the verdict reports anyway.
    disable_logging()
    try:
        return mlflow.register_model(f"runs:/{run_id}/{MODEL}", name, tags=copied)
    finally:
        enable_logging()


def check_finished(search: Run) -> None:
    """Refuse a run whose winner cannot be judged.

    Raises:
        UserError: The run was deleted, is not a finished search, or has no recorded fold scores.
    """
    run_id = search.info.run_id
    has_scores = any(key.startswith("val_") for key in search.data.metrics)
    if search.info.lifecycle_stage != LifecycleStage.ACTIVE:
        raise UserError(
            f"candidates name run {run_id}, which was deleted: `mlflow runs restore` restores it"
        )
    if not has_scores or search.info.status != RunStatus.to_string(RunStatus.FINISHED):
        raise UserError(f"candidates name run {run_id}, which is not a finished search")
    if not {METRIC, FOLD_SCORES} <= search.data.tags.keys():
        raise UserError(f"candidates name run {run_id}, which has no recorded fold scores: search again")


def contestant(version: ModelVersion) -> Contestant:
    """Return the data that a version is compared by.

    Raises:
        Incomparable: The version was registered without its fold scores.
    """
    tags = version.tags
    if not {METRIC, FOLD_SCORES} <= tags.keys():
        raise Incomparable(f"version {version.version} has no recorded fold scores")
    return Contestant(
        version=str(version.version),
        dataset=tags.get("dataset", ""),
        source=tags.get("source", ""),
        metric=tags[METRIC],
        folds_digest=tags.get(FOLDS_DIGEST, ""),
        fold_scores=json.loads(tags[FOLD_SCORES]),
        task=task_of(tags),
        labels=int(tags.get(LABELS, 2)),
        labels_digest=tags.get(LABELS_DIGEST, ""),
        at_threshold=json.loads(tags.get(THRESHOLD_SCORES, "[]")),
    )


def task_of(tags: Mapping[str, str]) -> str:
    """Return the task of a search or a version; those that are older than the tag have two labels."""
    return tags.get(TASK, BINARY)


def versions_of(name: str) -> Sequence[ModelVersion]:
    """Return all versions of a model, however many there are."""
    return mlflow.search_model_versions(filter_string=f"name = '{name}'")


def has_lost_files(version: ModelVersion) -> bool:
    """Tell whether the files of a version are gone, as of a run that `mlflow gc` has purged."""
    return SEARCH in version.tags and not has_artifacts(version.tags[SEARCH], [MODEL])


def of_lost(version: ModelVersion) -> str:
    """Return the end of a sentence on a version whose files are gone; an empty text if they are there."""
    return "; but its files are gone, so it cannot be loaded" if has_lost_files(version) else ""


def has_all(name: str, searches: Sequence[str]) -> bool:
    """Return whether a model has the winners of searches, by their URIs, as versions, and a champion.

    A champion whose files are gone does not count: another version is to take its place.
    """
    champion = present_champion(name)
    if champion is None or has_lost_files(champion):
        return False
    there = {version.tags.get(SEARCH) for version in versions_of(name)}
    return {uri.removeprefix("runs:/") for uri in searches} <= there


def find_versions(name: str) -> dict[str, ModelVersion]:
    """Return a model's versions with aliases, by number, oldest first; empty if there is no model."""
    try:
        aliases = MlflowClient().get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    found = sorted(versions_of(name), key=lambda one: int(one.version))
    for one in found:
        one.aliases = [alias for alias, holder in aliases.items() if str(holder) == str(one.version)]
    return {str(one.version): one for one in found}


def has_test_rows_of(version: ModelVersion, searches: Sequence[Run]) -> bool:
    """Tell whether a version was scored on the test rows of one of some searches."""
    return version.tags.get(TEST_DIGEST) in {search.data.tags.get(TEST_DIGEST) for search in searches}


def test_scores(version: ModelVersion) -> Mapping[str, float]:
    """Return a version's test metrics by name, without the prefix test_."""
    return _scores(version, "test_")


def guessed_scores(version: ModelVersion) -> Mapping[str, float]:
    """Return the scores of guessing on a version's test rows, by metric."""
    return _scores(version, "guess_test_")


def notes_of(version: ModelVersion) -> Sequence[str]:
    """Return what the scores of a version do not say by themselves, in sentences."""
    return version.tags.get(NOTES, "").splitlines()


def _scores(version: ModelVersion, prefix: str) -> dict[str, float]:
    return {
        key.removeprefix(prefix): float(value)
        for key, value in version.tags.items()
        if key.startswith(prefix) and not key.endswith("_digest")
    }
