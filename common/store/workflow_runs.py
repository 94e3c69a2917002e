"""Find all runs of a workflow from any one of them, by the inputs recorded in their tags."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlflow.entities import Run

from common.errors import UserError
from common.learning.prepare import IMPUTE
from common.store import tracking
from common.store.get_or_run import searches_on
from common.workflow.declaration import CHAIN, MAIN, SEARCHES, STEPS

# Tags of main's run (see tracking.list_tags): the runs of its steps, some of them reused older runs.
STEP_RUNS = "workflow.steps"
# The inputs by which a step reads the results of an earlier one.
INPUTS = tuple(dict.fromkeys(name for step in STEPS.values() for name in step.inputs))
# The steps that have a place of their own in WorkflowRuns.
PLACED = ("load_data", "eda", "split", "featurize", *SEARCHES, "champion")


@dataclass(frozen=True)
class WorkflowRuns:
    """The runs of a workflow; a run that does not exist, or no longer exists, is None.

    Attributes:
        searches: The searches: grid searches first, each kind from oldest to newest.
        champion: The run of champion that judged their winners.
        others: The runs of further steps of CHAIN.
    """

    main: Run | None
    load_data: Run | None
    eda: Run | None
    split: Run | None
    featurize: Run | None
    searches: tuple[Run, ...]
    champion: Run | None
    others: tuple[Run, ...] = ()

    @property
    def steps(self) -> list[Run]:
        """All existing runs except main, in workflow order."""
        placed = (self.load_data, self.eda, self.split, self.featurize, *self.searches, self.champion)
        found = [run for run in (*placed, *self.others) if run is not None]
        return sorted(found, key=_place)


def find_workflow(workflow: str, experiment_id: str) -> WorkflowRuns:
    """Return the runs of a workflow.

    Args:
        workflow: The id or runs:/ URI of any of its runs (main or a step), or `auto` for the workflow
            whose main or search ended last.
        experiment_id: The experiment that `auto` searches.

    Raises:
        UserError: The run does not exist or is not part of a workflow, or no run has finished yet.
    """
    if workflow != "auto":
        run = tracking.get_run(workflow)
        if step_of(run) not in (MAIN, *CHAIN):
            raise UserError(
                f"workflow must be auto or a run of {', '.join((MAIN, *CHAIN))}; "
                f"{workflow!r} is a run of {step_of(run) or 'something else'}"
            )
        return workflow_of(run)
    for steps in ((MAIN, *SEARCHES), ("featurize",), ("split",), ("eda",), ("load_data",)):
        newest = [
            run for step in steps for run in tracking.find_finished({tracking.STEP: step}, experiment_id)
        ]
        if newest:
            return workflow_of(max(newest, key=lambda run: run.info.end_time))
    raise UserError("there is no finished run to report on: run `make main` first, or one of its steps")


def workflow_of(run: Run) -> WorkflowRuns:
    """Return the runs of the workflow that a run belongs to; for a running main, those so far."""
    known = _steps_of_main(run) if step_of(run) == MAIN else [run]
    champion = _first(known, "champion")
    searches = [one for one in known if step_of(one) in SEARCHES]
    if champion and not searches:
        # A store may have searches that the project no longer has.
        searches = [one for one in _found(candidates_of(champion)) if step_of(one) in SEARCHES]
    known = [*known, *_behind([*known, *searches])]
    featurize, split = _first(known, "featurize"), _first(known, "split")
    # A step between featurize and the searches hands them features of its own.
    features = _input(searches, "features") or featurize
    if features and step_of(run) in ("featurize", *SEARCHES):
        on_features = searches_on(f"runs:/{features.info.run_id}", features.info.experiment_id)
        # One that was killed or failed, and was asked for, is not among those that finished.
        found = {one.info.run_id: one for one in (*on_features, *searches)}
        searches = list(found.values())
    eda, load_data = _first(known, "eda"), _first(known, "load_data")
    others = {
        one.info.run_id: one for one in known if step_of(one) in CHAIN and step_of(one) not in PLACED
    }
    searches.sort(key=lambda one: (SEARCHES.index(step_of(one)), one.info.start_time))
    return WorkflowRuns(
        main=run if step_of(run) == MAIN else None,
        load_data=load_data,
        eda=eda or _eda_of(load_data),
        split=split,
        featurize=featurize,
        searches=tuple(searches),
        champion=champion or _judge_of(searches),
        others=tuple(others.values()),
    )


def split_of(features: str) -> Run | None:
    """Return the run of split behind a features URI; None if it is not known."""
    found = _found([_run_id(features)] if features.startswith("runs:/") else [])
    return _first(_behind(found), "split")


def missing_of(features: str) -> str:
    """Return what became of missing numbers in features, by their URI, as featurize was asked."""
    given = _found([_run_id(features)] if features.startswith("runs:/") else [])
    # A step between featurize and the searches need not have the parameter.
    found = [asked(run) for run in [*given, *_behind(given)]]
    return next((one["missing"] for one in found if "missing" in one), IMPUTE)


def source_of(split: Run | None) -> str:
    """Return the kind of source of the rows that were split: path, uci, sample or unknown."""
    load_data = _input([split], "data")
    return "unknown" if load_data is None else str(load_data.data.tags.get("source", "unknown"))


def features_of(search: str) -> str:
    """Return the URI of the features that a search's run was given; empty if it is not known."""
    found = _found([search] if search else [])
    return found[0].data.tags.get(f"{tracking.INPUT}features", "") if found else ""


def _place(run: Run) -> int:
    # A store may have runs of a step that the project no longer has.
    step = step_of(run)
    return CHAIN.index(step) if step in CHAIN else PLACED.index(step)


def step_of(run: Run) -> str:
    """Return the name of a run's step; an empty string if it has none."""
    return str(run.data.tags.get(tracking.STEP, ""))


def asked(run: Run) -> dict[str, str]:
    """Return the parameters that a run of a step was given, which MLflow logs quoted for a shell."""
    return {name: _unquoted(text) for name, text in run.data.params.items()}


def _unquoted(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    return words[0] if len(words) == 1 else text


def candidates_of(champion: Run) -> list[str]:
    """Return the ids of the searches whose winners a champion run judged."""
    listed = tracking.listed(champion.data.tags, f"{tracking.INPUT}candidates")
    given = listed or asked(champion).get("candidates", "").split(",")
    return [_run_id(uri) for uri in given if uri.startswith("runs:/")]


def _steps_of_main(main: Run) -> list[Run]:
    listed = tracking.listed(main.data.tags, STEP_RUNS)
    below = {tracking.PARENT: main.info.run_id}
    return _found(listed) if listed else tracking.find_finished(below, main.info.experiment_id, most=None)


def _found(run_ids: Iterable[str]) -> list[Run]:
    """Return the runs that still exist; a deleted run counts as gone even before it is purged."""
    found = [tracking.find_run(run_id) for run_id in run_ids]
    return [run for run in found if run is not None]


def _first(runs: Iterable[Run], step: str) -> Run | None:
    return next((run for run in runs if step_of(run) == step), None)


def _input(runs: Sequence[Run | None], name: str) -> Run | None:
    """Return the input run of the first of these runs that has this input."""
    uris = [run.data.tags.get(f"{tracking.INPUT}{name}", "") for run in runs if run is not None]
    return next(iter(_found(_run_id(uri) for uri in uris if uri.startswith("runs:/"))), None)


def _behind(runs: Sequence[Run]) -> list[Run]:
    """Return the other runs whose results these were made from, directly or not, nearest first."""
    known = {run.info.run_id for run in runs}
    found: dict[str, Run] = {}
    nearest = list(runs)
    while nearest:
        tags = [run.data.tags.get(tracking.INPUT + name, "") for run in nearest for name in INPUTS]
        ids = dict.fromkeys(_run_id(uri) for uri in tags if uri.startswith("runs:/"))
        nearest = _found(one for one in ids if one not in known and one not in found)
        found |= {run.info.run_id: run for run in nearest}
    return list(found.values())


def _eda_of(load_data: Run | None) -> Run | None:
    if load_data is None:
        return None
    data = f"runs:/{load_data.info.run_id}/data"
    tags = {tracking.STEP: "eda", f"{tracking.INPUT}data": data}
    return next(iter(tracking.find_finished(tags, load_data.info.experiment_id)), None)


def _judge_of(searches: Sequence[Run]) -> Run | None:
    """Return the newest champion run that judged the winner of any of these searches."""
    if not searches:
        return None
    ids = {search.info.run_id for search in searches}
    judges = tracking.find_finished(
        {tracking.STEP: "champion"}, searches[0].info.experiment_id, most=None
    )
    return next((judge for judge in judges if ids & set(candidates_of(judge))), None)


def _run_id(uri: str) -> str:
    return uri.removeprefix("runs:/").partition("/")[0]
