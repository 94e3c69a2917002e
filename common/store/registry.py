"""The registry: versions of a model, each a search's winner, and which of them is champion."""

import json
from collections.abc import Mapping, Sequence

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.logging_utils import disable_logging, enable_logging

from common.champion.verdict import Contestant, Incomparable
from common.errors import UserError

CHAMPION = "champion"

# Tags of a version, and of the search that it comes from.
SEARCH, METRIC, FOLD_SCORES, FOLDS_DIGEST = "search", "metric", "fold_scores", "folds_digest"
COPIED = (
    *("dataset", "source", METRIC, FOLDS_DIGEST, FOLD_SCORES, "train_digest", "test_digest"),
    *("learner", "engine", "members"),
)
# Of a version: why it is what it is.
REASON = "reason"
# Of a champion: the version that was it before; of that one: which took its place.
FOLLOWS, FOLLOWED_BY = "follows", "followed_by"


def present_champion(name: str) -> ModelVersion | None:
    """Return the version that holds the alias, if one does."""
    try:
        return MlflowClient().get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        # An alias that is not set is an invalid parameter to MLflow.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a registered model.

    Raises:
        UserError: the name is empty, or has a slash, colon or quote.
    """
    if not name.strip() or set(name) & set("/:'\"`"):
        raise UserError(f"name must be some text without / : and quotes, got {name!r}")


def register(search: Run, name: str) -> ModelVersion:
    """Return the version that holds a search's winner, made now if there is none yet.

    Args:
        search: a finished search.
        name: of the registered model.

    Raises:
        UserError: the run is no finished search, or says nothing of its folds.
    """
    check_finished(search)
    run_id, tags = search.info.run_id, search.data.tags
    for version in versions_of(name):
        if version.tags.get(SEARCH) == run_id:
            return version
    copied = {SEARCH: run_id, "step": tags.get("workflow.step", "")}
    copied |= {key: tags[key] for key in COPIED if key in tags}
    scored = ("test_", "guess_test_", f"val_{tags[METRIC]}")
    copied |= {k: repr(v) for k, v in sorted(search.data.metrics.items()) if k.startswith(scored)}
    copied |= {k: v for k, v in search.data.params.items() if k.startswith(("best_", "weight_"))}
    # It tells of the version that it makes, as champion's verdict does.
    disable_logging()
    try:
        return mlflow.register_model(f"runs:/{run_id}/portable-model", name, tags=copied)
    finally:
        enable_logging()


def check_finished(search: Run) -> None:
    """Refuse a run whose winner cannot be judged.

    Raises:
        UserError: the run is no finished search, or says nothing of its folds.
    """
    run_id = search.info.run_id
    has_scores = any(key.startswith("val_") for key in search.data.metrics)
    if not has_scores or search.info.status != RunStatus.to_string(RunStatus.FINISHED):
        raise UserError(f"candidates name run {run_id}, which is no finished search")
    if not {METRIC, FOLD_SCORES} <= search.data.tags.keys():
        raise UserError(
            f"candidates name run {run_id}, which does not say its folds' scores: search again"
        )


def contestant(version: ModelVersion) -> Contestant:
    """Return what is known of a version when it is compared.

    Raises:
        Incomparable: it was registered without its folds' scores.
    """
    tags = version.tags
    if not {METRIC, FOLD_SCORES} <= tags.keys():
        raise Incomparable(f"version {version.version} does not say what its search's folds scored")
    return Contestant(
        version=str(version.version),
        dataset=tags.get("dataset", ""),
        source=tags.get("source", ""),
        metric=tags[METRIC],
        folds_digest=tags.get(FOLDS_DIGEST, ""),
        fold_scores=json.loads(tags[FOLD_SCORES]),
    )


def versions_of(name: str) -> Sequence[ModelVersion]:
    """Return all versions of a model, of whatever number."""
    return mlflow.search_model_versions(filter_string=f"name = '{name}'")


def find_versions(name: str) -> dict[str, ModelVersion]:
    """Return all versions of a model with their aliases, by number, oldest first; of no model, none."""
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


def test_scores(version: ModelVersion) -> Mapping[str, float]:
    """Return a version's test metrics, under their names without test_."""
    return _scores(version, "test_")


def guessed_scores(version: ModelVersion) -> Mapping[str, float]:
    """Return what guessing scores on a version's test rows."""
    return _scores(version, "guess_test_")


def _scores(version: ModelVersion, prefix: str) -> dict[str, float]:
    return {
        key.removeprefix(prefix): float(value)
        for key, value in version.tags.items()
        if key.startswith(prefix) and not key.endswith("_digest")
    }
