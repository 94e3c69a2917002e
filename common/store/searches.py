"""Set up a search in the store: read and log its rows, choose the engine, open the writer."""

import hashlib
import json
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import mlflow
from pyspark.sql import DataFrame

from common.data.repeated import Repeated
from common.data.row_hash import Digest, frame_digests
from common.data.spec import DatasetSpec
from common.learning.early_checks import check_settings
from common.learning.learners import LEARNERS, Learner, race
from common.learning.prepare import NATIVE
from common.learning.tasks import AUTO, find_metric
from common.search.engines.choice import Choice, Engine, choose_engine, make_engine
from common.search.engines.race import RaceEngine
from common.search.folds import FOLD_RANK, FoldData, fold_data
from common.search.race import Race
from common.search.result import Outcome
from common.search.search import Proposer, Search, Settings
from common.store import earlier_candidates, logged_data, tracking
from common.store.candidate_runs import CandidateWriter
from common.store.step_run import REPEATED_ROWS, Run
from common.store.workflow_runs import missing_of, source_of, split_of
from common.workflow.declaration import ORIGIN, as_text, entry_defaults


class Display(Protocol):
    """Shows the progress of a search."""

    def show(self, outcome: Outcome) -> None:
        """Count an outcome."""
        ...

    def end(self) -> None:
        """Say how the search ended."""
        ...


# Takes the step, the largest number of candidates, the metric and its score for guessing, the minutes
# after which the search ends, and the names of candidates that are reused.
Show = Callable[[str, int, str, float, float, Container[str]], AbstractContextManager[Display]]

# Labels that are named in the tags of a run.
SHOWN_LABELS = 10


@dataclass(frozen=True)
class SearchData:
    """The rows of a search: training rows in folds, test rows, and their digests.

    Attributes:
        train: The training rows as featurize wrote them.
        balance: Whether labels weigh the same in total.
        repeated: The rows of the data set that have an equal one.
    """

    spec: DatasetSpec
    folds: FoldData
    train: DataFrame
    test: DataFrame
    digests: Mapping[str, Digest]
    balance: bool
    repeated: Repeated


def suited(settings: Settings, run: Run) -> Settings:
    """Return the settings with the metric that the task of a search's features ranks by.

    In a race, only the learners that have the task, the engine and take the features' numbers are left.

    Args:
        settings: The settings that were asked for.
        run: The run of the search; it reads the input `features`.

    Raises:
        UserError: The task does not have the metric, or the learner lacks the task or takes no missing
            numbers.
    """
    learner, task = settings.learner, run.dataset("features").task
    learner.fitting(task)
    metric = find_metric(settings.metric, task)
    missing = missing_of(run.uri("features"))
    check_settings(learner, task, missing, settings.balance, settings.threshold)
    if learner.entrants:
        racing = []
        for one in [one for one in learner.entrants if task in one.fittings]:
            why_not = _why_not(one, settings.engine, missing)
            if why_not:
                run.tell(f"{one.name} does not race: {why_not}")
            else:
                racing.append(one)
        return replace(settings, metric=metric, learner=race(racing))
    return replace(settings, metric=metric)


def _why_not(learner: Learner, engine: str, missing: str) -> str:
    """Return why a learner of the task cannot race; an empty text if it can."""
    if engine not in (AUTO, *learner.engines):
        return f"engine={engine} does not have it"
    return f"it takes no missing={NATIVE}" if missing == NATIVE and not learner.takes_missing else ""


def settings_of(parameters: Mapping[str, str]) -> list[str]:
    """Return what a grid search like another takes beside learner and grid, as `name=value`.

    Without its input it would search the default data set.

    Args:
        parameters: Those of the other search, with inputs resolved.
    """
    left_out = {*ORIGIN, "learner", "grid"}
    defaults = {
        name: value for name, value in entry_defaults("train_grid").items() if name not in left_out
    }
    given = {name: parameters.get(name, value) for name, value in defaults.items()}
    return [f"{name}={value}" for name, value in given.items() if value != defaults[name]]


def search_data(run: Run, folds: int, balance: bool = False) -> SearchData:
    """Read the rows of a search, log them as inputs, and tag the run with their digests.

    Args:
        run: The run; it reads the input `features`.
        folds: Number of folds.
        balance: Whether labels weigh the same in total.
    """
    spec = run.dataset("features")
    train, test = run.frame("features", "train"), run.frame("features", "test")
    in_folds = fold_data(train, folds, spec.target, balance=balance)
    of_train, of_folds = frame_digests(train, spec.names, [*spec.names, FOLD_RANK])
    (of_test,) = frame_digests(test, spec.names)
    for side, frame, digest, context in (
        ("train", train, of_train, "training"),
        ("test", test, of_test, "test"),
    ):
        logged_data.log_data(frame, spec, run.uri("features", side), digest.content, context)
        run.tag(**{f"{side}_digest": digest.content})
    tracking.log_scores("guess_val", in_folds.guess, [run.id])
    run.tag(dataset=spec.name, task=spec.task, labels=len(spec.labels))
    run.tag(labels_digest=_labels_digest(spec))
    run.tag(**{f"label_{place}": label for place, label in enumerate(spec.labels[:SHOWN_LABELS])})
    split = split_of(run.uri("features"))
    run.tag(source=source_of(split), folds_digest=f"{of_folds.content}:{folds}")
    digests = {"training": of_train, "test": of_test}
    counted = int(split.data.metrics.get(REPEATED_ROWS, 0)) if split else 0
    repeated = Repeated(counted, of_train.rows + of_test.rows)
    return SearchData(spec, in_folds, train, test, digests, balance, repeated)


def _labels_digest(spec: DatasetSpec) -> str:
    """Return a digest of the labels in any order, and of which of two is the positive one."""
    text = json.dumps([sorted(spec.labels), spec.positive])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@contextmanager
def open_search(
    run: Run, settings: Settings, data: FoldData, proposer: Proposer, show: Show
) -> Iterator[tuple[Search, CandidateWriter]]:
    """Choose the engine and open the candidate writer; on leaving, all candidates are written."""
    learner = settings.learner
    choice, engine = _engine(settings, proposer, data)
    run.tag(learner=learner.name, engine=choice.engine, engine_reason=choice.reason)
    run.tag(folds=data.folds, seed=settings.seed, metric=settings.metric)
    run.tag(balance=as_text(settings.balance))
    run.tell(f"engine {choice.engine}: {choice.reason}")
    this = mlflow.get_run(run.id)
    earlier = earlier_candidates.unfinished_candidates(this, learner)
    if earlier:
        count = f"{len(earlier)} candidate{'s' * (len(earlier) != 1)}"
        run.tell(f"reusing {count} that an earlier run finished")
    constants = {"learner": learner.name, "engine": choice.engine, "folds": data.folds}
    guess = data.guess[settings.metric]
    known = {name: one.result for name, one in earlier.items()}
    with (
        CandidateWriter(this, constants, earlier) as writer,
        show(run.step, proposer.most, settings.metric, guess, settings.minutes, known) as shown,
    ):
        yield Search(engine, writer, known, shown.show, settings.minutes, shown.end), writer


def _engine(settings: Settings, proposer: Proposer, data: FoldData) -> tuple[Choice, Engine]:
    learner, names = settings.learner, proposer.names
    if isinstance(proposer, Race):
        # A grid of the user's own may have fewer learners than the task.
        racing = race([LEARNERS[entrant.learner] for entrant in proposer.entrants])
        scorer = RaceEngine(racing, settings.engine, names, data, settings.seed, settings.parallelism)
        return scorer.choice, scorer
    choice = choose_engine(learner, settings.engine, names, data, settings.parallelism)
    return choice, make_engine(choice, data, learner, settings.seed)
