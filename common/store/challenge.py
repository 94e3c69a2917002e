"""Let a version challenge the champion on given terms, safely under kills and concurrent challenges."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from common.champion.verdict import SAMPLE, Comparison, Terms, unlike
from common.errors import UserError
from common.store.registry import (
    CHAMPION,
    FOLLOWED_BY,
    FOLLOWS,
    REASON,
    contestant,
    has_lost_files,
    present_champion,
    versions_of,
)

CHALLENGER, REJECTED = "challenger", "rejected"
# What has become of a version that was champion and is no longer.
FORMER = "former champion"

# Tags of a version: its verdict and the terms of it. The verdict is written last.
VERDICT, TERMS = "verdict", "terms"
# Tags of a version about to become champion, written before the alias: the attempt's id; set by hand.
CLAIM, BY_HAND = "claim", "by_hand"
MEANWHILE = "claimed the alias at the same time"
# The reason of a champion that another program made one.
ELSEWHERE = "it was made champion outside this project, such as in MLflow's UI"
ANY_GAIN = Terms(margin=0.0, gates={})
# How often the champion may change while a contender is judged.
ATTEMPTS = 20

Compare = Callable[[ModelVersion, ModelVersion], Comparison]


@dataclass(frozen=True)
class Verdict:
    """The outcome for a contender: champion, challenger or rejected, and the reason."""

    version: str
    became: str
    reason: str


def challenge(
    contender: ModelVersion, name: str, terms: Terms, compare: Compare, failed: str = ""
) -> Verdict:
    """Give a version the champion alias if it beats the current champion on these terms.

    The registry cannot set an alias on the condition that it has not changed. So a version records a
    claim before it takes the alias, and then looks for claims that others made in the meantime. Of two
    concurrent challenges at least the later one sees the other, and both choose the same winner.

    Args:
        contender: A registered version.
        name: The name of the registered model.
        terms: The margin and the gates.
        compare: A function that compares the first of two versions with the second. It raises
            Incomparable or another UserError if it cannot.
        failed: The gates that the contender fails, as text; empty if it fails none.

    Raises:
        UserError: The champion changed ATTEMPTS times during the challenge.
    """
    version, present = str(contender.version), present_champion(name)
    if present is not None and _number(present) == version:
        return _confirm(name, present)
    judged = None if present is None else _judged_before(contender, present, terms)
    if judged is not None:
        return judged
    if failed:
        return _settle(name, version, REJECTED, f"it fails its gates: {failed}", terms)
    for _ in range(ATTEMPTS):
        known = {str(one.version): one.tags for one in versions_of(name)}
        champion = present_champion(name)
        takes, reason = _judge(contender, champion, terms, compare)
        if not takes:
            return _settle(name, version, CHALLENGER, reason, terms)
        _claim(name, version, {REASON: reason, TERMS: _text(terms), **_follows(champion)})
        if _number(present_champion(name)) != _number(champion):
            continue
        _write(MlflowClient().set_registered_model_alias, name, CHAMPION, version)
        best = _best_of_claims(name, contender, known, compare)
        if str(best.version) != version:
            _write(MlflowClient().set_registered_model_alias, name, CHAMPION, str(best.version))
            _crown(name, str(best.version), f"better than version {version}, which {MEANWHILE}")
            reason = f"not better than version {best.version}, which {MEANWHILE}"
            return _settle(name, version, CHALLENGER, reason, terms)
        if _number(present_champion(name)) == version:
            return _crown(name, version)
    raise UserError(
        f"name {name!r}: the champion changed {ATTEMPTS} times during the challenge, try again"
    )


def is_from_elsewhere(champion: ModelVersion) -> bool:
    """Tell whether a champion has its alias from another program, which leaves the tags as they were."""
    tags = champion.tags
    settled = tags.get(VERDICT, CHAMPION) != CHAMPION or FOLLOWED_BY in tags
    return settled or tags.get(REASON) == ELSEWHERE


def _confirm(name: str, champion: ModelVersion) -> Verdict:
    """Return the verdict on a version that holds the alias, and complete its tags."""
    version = str(champion.version)
    if not is_from_elsewhere(champion):
        return _crown(name, version)
    # The champion that it followed once need not be the one before it now.
    _untag(name, version, FOLLOWS)
    return _crown(name, version, ELSEWHERE)


def _judged_before(contender: ModelVersion, champion: ModelVersion, terms: Terms) -> Verdict | None:
    """Return the verdict on a version that was already judged on these terms, or that was champion.

    Judging it again would undo a champion that was set by hand. Beside a champion whose files are gone no
    earlier verdict stands.
    """
    tags, version = contender.tags, str(contender.version)
    if VERDICT not in tags or (has_lost_files(champion) and not has_lost_files(contender)):
        return None
    if FOLLOWED_BY in tags or tags[VERDICT] == CHAMPION:
        # Another program that moves the alias tags nothing.
        successor = tags.get(FOLLOWED_BY, champion.version)
        return Verdict(version, FORMER, f"version {successor} took its place")
    return Verdict(version, tags[VERDICT], tags[REASON]) if tags.get(TERMS) == _text(terms) else None


def _judge(
    contender: ModelVersion, champion: ModelVersion | None, terms: Terms, compare: Compare
) -> tuple[bool, str]:
    if champion is None:
        return True, "there was no champion"
    number = champion.version
    try:
        ours, theirs = contestant(contender), contestant(champion)
        if theirs.source == SAMPLE != ours.source:
            return True, f"champion {number} was trained on the synthetic sample, this one on real rows"
        reason = unlike(ours, theirs)
        if reason is not None:
            return False, f"{reason}; version={ours.version} makes it champion anyway"
        if has_lost_files(champion):
            return True, f"the files of champion {number} are gone"
        takes, reason = terms.takes(compare(contender, champion))
    except UserError as error:
        by_hand = f"version={contender.version} makes it champion anyway"
        return False, f"it cannot be compared with champion {number}: {error}; {by_hand}"
    return takes, f"{reason}; champion was version {number}"


def _claim(name: str, version: str, tags: Mapping[str, str]) -> None:
    """Tag a version as about to become champion, with the reason; clear its previous verdict."""
    _untag(name, version, VERDICT, FOLLOWS, BY_HAND)
    _tag(name, version, {**tags, CLAIM: uuid.uuid4().hex})


def _best_of_claims(
    name: str, contender: ModelVersion, known: Mapping[str, Mapping[str, str]], compare: Compare
) -> ModelVersion:
    """Return the best of a contender and the versions that claimed the alias since `known` was read."""
    best = contender
    for rival in sorted(versions_of(name), key=lambda one: int(one.version)):
        before = known.get(str(rival.version), {})
        settled = VERDICT in before and before.get(CLAIM) == rival.tags.get(CLAIM)
        if CLAIM in rival.tags and not settled and str(rival.version) != str(contender.version):
            best = _better(best, rival, compare)
    return best


def _better(one: ModelVersion, other: ModelVersion, compare: Compare) -> ModelVersion:
    """Return the better of two versions in any order; of equals, the older one."""
    older, newer = sorted((one, other), key=lambda version: int(version.version))
    by_hand = [version for version in (newer, older) if version.tags.get(BY_HAND)]
    if by_hand:
        return by_hand[0]
    takes, _ = _judge(newer, older, ANY_GAIN, compare)
    return newer if takes else older


def _crown(name: str, version: str, reason: str | None = None) -> Verdict:
    """Write the tags that belong to the champion alias of a version that holds it."""
    if reason is not None:
        _tag(name, version, {REASON: reason})
    tags = MlflowClient().get_model_version(name, version).tags
    before = tags.get(FOLLOWS)
    if before and before != version:
        _tag(name, before, {FOLLOWED_BY: version})
    _untag(name, version, FOLLOWED_BY)
    _drop_challenger(name, version)
    _tag(name, version, {VERDICT: CHAMPION})
    return Verdict(version, CHAMPION, tags.get(REASON, "it was already champion"))


def _settle(name: str, version: str, became: str, reason: str, terms: Terms) -> Verdict:
    """Write the verdict on a version that did not become champion."""
    _untag(name, version, CLAIM, FOLLOWS)
    _tag(name, version, {REASON: reason, TERMS: _text(terms)})
    if became == CHALLENGER:
        _write(MlflowClient().set_registered_model_alias, name, CHALLENGER, version)
    else:
        _drop_challenger(name, version)
    _tag(name, version, {VERDICT: became})
    if _number(present_champion(name)) == version:
        # A concurrent challenge has just found this version better and given it the alias.
        return _crown(name, version, f"better than a version that {MEANWHILE}")
    return Verdict(version, became, reason)


def set_champion(name: str, version: str) -> Verdict:
    """Give the champion alias to a version by hand, for a rollback or a promotion.

    Raises:
        UserError: The version does not exist.
    """
    client = MlflowClient()
    try:
        # The registry also finds version 1 by 01, and nothing else would know that they are one.
        version = str(client.get_model_version(name, version).version)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        known = [int(one.version) for one in versions_of(name)]
        listed = ", ".join(map(str, sorted(known))) or "none"
        raise UserError(
            f"version {version!r} of model {name!r} does not exist; existing versions: {listed}"
        ) from None
    before = present_champion(name)
    if before is not None and _number(before) == version:
        return _confirm(name, before)
    reason = "set by hand" + (f" after version {before.version}" if before else "")
    _claim(name, version, {REASON: reason, BY_HAND: "true", **_follows(before)})
    _write(client.set_registered_model_alias, name, CHAMPION, version)
    return _crown(name, version)


def _number(version: ModelVersion | None) -> str:
    return "" if version is None else str(version.version)


def _follows(champion: ModelVersion | None) -> dict[str, str]:
    return {} if champion is None else {FOLLOWS: str(champion.version)}


def _text(terms: Terms) -> str:
    return json.dumps({"margin": terms.margin, "gates": dict(terms.gates)}, sort_keys=True)


def _write(write: Callable[..., object], *given: object) -> None:
    """Write to the registry; retry once, because another process may have just written the same row."""
    try:
        write(*given)
    except MlflowException:
        write(*given)


def _tag(name: str, version: str, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        _write(MlflowClient().set_model_version_tag, name, version, key, value)


def _untag(name: str, version: str, *tags: str) -> None:
    there = MlflowClient().get_model_version(name, version).tags
    for tag in tags:
        if tag in there:
            MlflowClient().delete_model_version_tag(name, version, tag)


def _drop_challenger(name: str, version: str) -> None:
    if str(MlflowClient().get_registered_model(name).aliases.get(CHALLENGER)) == version:
        MlflowClient().delete_registered_model_alias(name, CHALLENGER)
