"""Who becomes champion: a version challenges the present one, on terms, safe from kills and races."""

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
    present_champion,
    versions_of,
)

CHALLENGER, REJECTED = "challenger", "rejected"

# Tags of a version: what it became, on which terms, written when all else is done.
VERDICT, TERMS = "verdict", "terms"
# Of a version that is to be champion: an id of this try, written before the alias.
CLAIM, BY_HAND = "claim", "by_hand"
MEANWHILE = "claimed the alias at the same time"
ANY_GAIN = Terms(margin=0.0, gates={})
# How often a champion may change while a contender is being judged.
ATTEMPTS = 20

# Compares the first of two versions with the second.
Compare = Callable[[ModelVersion, ModelVersion], Comparison]


@dataclass(frozen=True)
class Verdict:
    """What became of a contender: champion, challenger or rejected, and why."""

    version: str
    became: str
    reason: str


def challenge(
    contender: ModelVersion, name: str, terms: Terms, compare: Compare, failed: str = ""
) -> Verdict:
    """Give a version the alias champion if it beats the present one on these terms.

    The registry has no way to set an alias only if it is still what it was. So a version says that it
    claims the alias before it takes it, and looks afterwards for others that claimed it meanwhile: of
    two, at least the later one sees the other, and both choose the same one.

    Args:
        contender: a registered version.
        name: of the registered model.
        terms: what it must do.
        compare: the first of two versions with the second. May raise Incomparable or another UserError
            where it cannot.
        failed: which gates it fails; nothing: none.
    """
    version, present = str(contender.version), present_champion(name)
    if _number(present) == version:
        return _crown(name, version)
    judged = _judged_before(contender, terms)
    if judged is not None and present is not None:
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
    raise UserError(f"name {name!r}: its champion changed {ATTEMPTS} times meanwhile, try again")


def _judged_before(contender: ModelVersion, terms: Terms) -> Verdict | None:
    """Return the verdict on a version that was judged on these terms, or that was champion.

    To judge it again would undo a champion that was set by hand.
    """
    tags, version = contender.tags, str(contender.version)
    if VERDICT not in tags:
        return None
    if FOLLOWED_BY in tags:
        return Verdict(version, CHALLENGER, f"version {tags[FOLLOWED_BY]} took its place")
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
            return True, f"champion {number} learnt from the synthetic sample, this one from real rows"
        reason = unlike(ours, theirs)
        if reason is not None:
            return False, f"{reason}; version={ours.version} makes it champion all the same"
        takes, reason = terms.takes(compare(contender, champion))
    except UserError as error:
        return False, f"it cannot be compared with champion {number}: {error}"
    return takes, f"{reason}; champion was version {number}"


def _claim(name: str, version: str, tags: Mapping[str, str]) -> None:
    """Have a version say that it is to be champion, and why; whatever it was before is undone."""
    _untag(name, version, VERDICT, FOLLOWS, BY_HAND)
    _tag(name, version, {**tags, CLAIM: uuid.uuid4().hex})


def _best_of_claims(
    name: str, contender: ModelVersion, known: Mapping[str, Mapping[str, str]], compare: Compare
) -> ModelVersion:
    """Return the best of a contender and those that claimed the alias since `known` was read."""
    best = contender
    for rival in sorted(versions_of(name), key=lambda one: int(one.version)):
        before = known.get(str(rival.version), {})
        settled = VERDICT in before and before.get(CLAIM) == rival.tags.get(CLAIM)
        if CLAIM in rival.tags and not settled and str(rival.version) != str(contender.version):
            best = _better(best, rival, compare)
    return best


def _better(one: ModelVersion, other: ModelVersion, compare: Compare) -> ModelVersion:
    """Return the better of two versions, in whatever order they come; of equals the older."""
    older, newer = sorted((one, other), key=lambda version: int(version.version))
    by_hand = [version for version in (newer, older) if version.tags.get(BY_HAND)]
    if by_hand:
        return by_hand[0]
    takes, _ = _judge(newer, older, ANY_GAIN, compare)
    return newer if takes else older


def _crown(name: str, version: str, reason: str | None = None) -> Verdict:
    """Write all that goes with the alias of a version that has it."""
    if reason is not None:
        _tag(name, version, {REASON: reason})
    tags = MlflowClient().get_model_version(name, version).tags
    before = tags.get(FOLLOWS)
    if before and before != version:
        _tag(name, before, {FOLLOWED_BY: version})
    _untag(name, version, FOLLOWED_BY)
    _drop_challenger(name, version)
    _tag(name, version, {VERDICT: CHAMPION})
    return Verdict(version, CHAMPION, tags.get(REASON, "it was champion already"))


def _settle(name: str, version: str, became: str, reason: str, terms: Terms) -> Verdict:
    """Write the verdict on a version that is not champion."""
    _untag(name, version, CLAIM, FOLLOWS)
    _tag(name, version, {REASON: reason, TERMS: _text(terms)})
    if became == CHALLENGER:
        _write(MlflowClient().set_registered_model_alias, name, CHALLENGER, version)
    else:
        _drop_challenger(name, version)
    _tag(name, version, {VERDICT: became})
    if _number(present_champion(name)) == version:
        # Whoever claimed the alias at the same time has just found this one better.
        return _crown(name, version, f"better than a version that {MEANWHILE}")
    return Verdict(version, became, reason)


def set_champion(name: str, version: str) -> Verdict:
    """Give the alias champion to a version by hand: going back, or forward.

    Raises:
        UserError: there is no such version.
    """
    client = MlflowClient()
    try:
        client.get_model_version(name, version)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        known = [int(one.version) for one in versions_of(name)]
        listed = ", ".join(map(str, sorted(known))) or "none"
        raise UserError(
            f"version {version!r} of model {name!r} does not exist; there are {listed}"
        ) from None
    before = present_champion(name)
    if _number(before) == version:
        return _crown(name, version)
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
    """Write to the registry, and once more where another process made the same row at that moment."""
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
