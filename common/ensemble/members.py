"""The members of a vote: the best of each learner, of the searches that there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlflow.entities import Run

from common.champion import METRIC
from common.errors import UserError
from common.learners import LEARNERS, Learner, Parameters, get_learner
from common.tracking import INPUT

BEST = "best_"


@dataclass(frozen=True)
class Member:
    """The winner of a search.

    Attributes:
        run_id: of the search.
        learner: that it searched for.
        parameters: of the winner.
        seed: of the learner.
        folds: that it was searched over.
        features: URI of the features.
    """

    run_id: str
    learner: Learner
    parameters: Parameters
    seed: int
    folds: int
    features: str


def find_members(searches: Sequence[Run]) -> list[Member]:
    """Return the best winner of each learner, by its mean F1 over the folds, in the learners' order.

    Args:
        searches: finished ones; of two that are equally good the first is taken.

    Raises:
        UserError: one is no finished search, there are fewer than two learners, or they do not learn
            from the same rows in the same folds.
    """
    best: dict[str, Run] = {}
    for search in searches:
        learner = search.data.tags.get("learner", "")
        if _score(search) > (_score(best[learner]) if learner in best else float("-inf")):
            best[learner] = search
    members = [_member(search) for search in best.values()]
    if len(members) < 2:
        only = members[0].learner.name
        raise UserError(
            f"ensemble=true needs searches of at least two learners, candidates has {only} alone: search "
            "with another first, as by train_grid with learner=xgboost"
        )
    _check_same(members, "features", [member.features for member in members])
    _check_same(members, "folds", [str(member.folds) for member in members])
    order = list(LEARNERS)
    return sorted(members, key=lambda member: order.index(member.learner.name))


def _score(search: Run) -> float:
    name = f"val_{METRIC}"
    if name not in search.data.metrics:
        raise UserError(f"candidates name run {search.info.run_id}, which is no finished search")
    return float(search.data.metrics[name])


def _member(search: Run) -> Member:
    tags, run_id = search.data.tags, search.info.run_id
    learner = get_learner(tags.get("learner", ""))
    missing = [name for name in ("seed", "folds", f"{INPUT}features") if name not in tags]
    if missing:
        raise UserError(f"search {run_id} does not say its {missing[0]}: search again for an ensemble")
    chosen = {k.removeprefix(BEST): v for k, v in search.data.params.items() if k.startswith(BEST)}
    parameters = {name: learner.parameters[name].parse(text) for name, text in chosen.items()}
    return Member(
        run_id, learner, parameters, int(tags["seed"]), int(tags["folds"]), tags[f"{INPUT}features"]
    )


def _check_same(members: Sequence[Member], what: str, values: Sequence[str]) -> None:
    if len(set(values)) > 1:
        found = ", ".join(f"{m.learner.name} {value}" for m, value in zip(members, values, strict=True))
        raise UserError(
            f"ensemble=true needs searches over the same {what}, the best have: {found}; name by "
            "candidates those that go together"
        )
