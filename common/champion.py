"""The registry: every search's winner is a version, and the best on the test rows is champion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from common.errors import UserError

CHAMPION, CHALLENGER = "champion", "challenger"
METRIC = "f1"

# Tags of a version.
SEARCH, DIGEST, SCORE, REASON = "search", "test_digest", f"test_{METRIC}", "reason"
# Of a champion: the version that was it before; of that one: which took its place.
FOLLOWS, FOLLOWED_BY = "follows", "followed_by"


@dataclass(frozen=True)
class Verdict:
    """What became of a contender: the alias it has now, and why."""

    version: str
    alias: str
    reason: str


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
        UserError: the name is empty or has a slash or colon.
    """
    if not name.strip() or set(name) & set("/:"):
        raise UserError(f"name must be some text without / and :, got {name!r}")


def register(search: Run, name: str) -> ModelVersion:
    """Return the version that holds a search's winner, made now if there is none yet.

    Args:
        search: a finished search.
        name: of the registered model.

    Raises:
        UserError: the run is no finished search.
    """
    run_id = search.info.run_id
    if SCORE not in search.data.metrics:
        raise UserError(f"candidates name run {run_id}, which is no finished search")
    client = MlflowClient()
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(SEARCH) == run_id:
            return version
    tags = {SEARCH: run_id, "step": search.data.tags.get("workflow.step", "")}
    wanted = (DIGEST, "train_digest", "dataset", "learner", "engine", "members")
    tags |= {key: search.data.tags[key] for key in wanted if key in search.data.tags}
    scored = ("test_", f"val_{METRIC}")
    tags |= {k: repr(v) for k, v in sorted(search.data.metrics.items()) if k.startswith(scored)}
    tags |= {k: v for k, v in search.data.params.items() if k.startswith(("best_", "weight_"))}
    return mlflow.register_model(f"runs:/{run_id}/portable-model", name, tags=tags)


def challenge(contender: ModelVersion, rescore: Callable[[ModelVersion], float], name: str) -> Verdict:
    """Give a version the alias champion if it beats the present one on the same test rows.

    Args:
        contender: a registered version.
        rescore: scores the present champion on the contender's test rows; called only when it was
            scored on others. May raise UserError where it cannot.
        name: of the registered model.
    """
    champion = present_champion(name)
    version = str(contender.version)
    if champion is not None and REASON in contender.tags:
        # Judged before: to judge again would undo a champion that was set by hand.
        if str(champion.version) == version:
            return Verdict(version, CHAMPION, contender.tags[REASON])
        follower = contender.tags.get(FOLLOWED_BY)
        reason = f"version {follower} took its place" if follower else contender.tags[REASON]
        return Verdict(version, CHALLENGER, reason)
    alias, reason = _judge(contender, champion, rescore)
    client = MlflowClient()
    if alias == CHAMPION and champion is not None:
        _follow(name, champion, version)
    client.set_registered_model_alias(name, alias, version)
    client.set_model_version_tag(name, version, REASON, reason)
    return Verdict(version, alias, reason)


def _judge(
    contender: ModelVersion, champion: ModelVersion | None, rescore: Callable[[ModelVersion], float]
) -> tuple[str, str]:
    if champion is None:
        return CHAMPION, "there was no champion"
    where = "on the same test rows"
    if champion.tags.get(DIGEST) == contender.tags.get(DIGEST):
        theirs = float(champion.tags[SCORE])
    else:
        where = "on this version's test rows, which are not those it was chosen on"
        try:
            theirs = rescore(champion)
        except UserError as error:
            return CHALLENGER, f"champion {champion.version} cannot score these test rows: {error}"
    ours = float(contender.tags[SCORE])
    found = f"test {METRIC} {ours:.6f} against {theirs:.6f} of version {champion.version} {where}"
    return (CHAMPION, f"higher: {found}") if ours > theirs else (CHALLENGER, f"not higher: {found}")


def set_champion(name: str, version: str) -> Verdict:
    """Give the alias champion to a version by hand: going back, or forward.

    Raises:
        UserError: there is no such version.
    """
    client = MlflowClient()
    try:
        client.get_model_version(name, version)
    except MlflowException:
        known = [v.version for v in client.search_model_versions(f"name = '{name}'")]
        listed = ", ".join(map(str, sorted(known, key=int))) or "none"
        raise UserError(
            f"version {version!r} of model {name!r} does not exist; there are {listed}"
        ) from None
    before = present_champion(name)
    reason = "set by hand" + (f" after version {before.version}" if before else "")
    if before is not None and str(before.version) != version:
        _follow(name, before, version)
    client.set_registered_model_alias(name, CHAMPION, version)
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == version:
        client.delete_registered_model_alias(name, CHALLENGER)
    client.set_model_version_tag(name, version, REASON, reason)
    return Verdict(version, CHAMPION, reason)


def _follow(name: str, before: ModelVersion, version: str) -> None:
    client = MlflowClient()
    client.set_model_version_tag(name, before.version, FOLLOWED_BY, version)
    client.set_model_version_tag(name, version, FOLLOWS, str(before.version))


def find_versions(name: str) -> dict[str, ModelVersion]:
    """Return all versions of a model with their aliases, by number, oldest first; of no model, none."""
    client = MlflowClient()
    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException:
        return {}
    found = client.search_model_versions(f"name = '{name}'", max_results=10_000)
    for one in found:
        one.aliases = [alias for alias, holder in aliases.items() if str(holder) == str(one.version)]
    return {str(one.version): one for one in sorted(found, key=lambda one: int(one.version))}


def test_scores(version: ModelVersion) -> Mapping[str, float]:
    """Return a version's test metrics, under their names without test_."""
    tags = version.tags.items()
    return {
        key.removeprefix("test_"): float(value)
        for key, value in tags
        if key.startswith("test_") and key != DIGEST
    }
