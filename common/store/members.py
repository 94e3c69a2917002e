"""Choose the members of a vote: the best search winner of each learner."""

from collections.abc import Sequence

from mlflow.entities import Run

from common.data.target import BINARY
from common.ensemble.member import Member
from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner
from common.learning.metrics import sign
from common.store.registry import METRIC, check_finished, task_of
from common.store.tracking import INPUT
from common.workflow.declaration import as_text

BEST = "best_"


def find_members(searches: Sequence[Run]) -> list[Member]:
    """Return the best winner of each learner by its mean over the folds, in the order of LEARNERS.

    Args:
        searches: Finished searches; of equally good ones, the first is chosen.

    Raises:
        UserError: A run is not a finished search, or not one of two labels, the searches differ in their
            metric, there are fewer than two learners, or the chosen searches differ in their features or
            folds.
    """
    best: dict[str, Run] = {}
    for search in searches:
        check_finished(search)
        task = task_of(search.data.tags)
        if task != BINARY:
            raise UserError(
                f"ensemble=true joins learners of two labels, and the task is {task}: leave it out"
            )
    _check_same(searches, "metric", [search.data.tags[METRIC] for search in searches])
    for search in searches:
        learner = search.data.tags.get("learner", "")
        if learner not in best or _score(search) > _score(best[learner]):
            best[learner] = search
    members = [member_of(search) for search in best.values()]
    if len(members) < 2:
        only = members[0].learner.name
        raise UserError(
            f"ensemble=true needs searches with at least two learners, but candidates only has {only}: "
            "search with another learner first, for example with train_grid and learner=xgboost"
        )
    chosen = list(best.values())
    _check_same(chosen, "features", [member.features for member in members])
    _check_same(chosen, "folds", [str(member.folds) for member in members])
    _check_same(chosen, "balance", [as_text(member.balance) for member in members])
    order = list(LEARNERS)
    return sorted(members, key=lambda member: order.index(member.learner.name))


def _score(search: Run) -> float:
    metric = search.data.tags[METRIC]
    return sign(metric) * float(search.data.metrics[f"val_{metric}"])


def member_of(search: Run) -> Member:
    """Return the winner of a search as a member of a vote.

    Raises:
        UserError: The search has no record of how it was fitted.
    """
    tags, run_id = search.data.tags, search.info.run_id
    learner = get_learner(tags.get("learner", ""))
    missing = [name for name in ("seed", "folds", METRIC, f"{INPUT}features") if name not in tags]
    if missing:
        raise UserError(f"search {run_id} has no recorded {missing[0]}: search again for an ensemble")
    chosen = {k.removeprefix(BEST): v for k, v in search.data.params.items() if k.startswith(BEST)}
    parameters = {name: learner.parameters[name].parse(text) for name, text in chosen.items()}
    return Member(
        run_id,
        learner,
        parameters,
        int(tags["seed"]),
        int(tags["folds"]),
        tags[f"{INPUT}features"],
        tags[METRIC],
        tags.get("balance") == as_text(True),
    )


def _check_same(searches: Sequence[Run], what: str, values: Sequence[str]) -> None:
    if len(set(values)) > 1:
        learners = [search.data.tags.get("learner", "") for search in searches]
        found = ", ".join(f"{name} {value}" for name, value in zip(learners, values, strict=True))
        raise UserError(
            f"ensemble=true needs searches with the same {what}, but the best have: {found}; use "
            "candidates= to name searches that match"
        )
