"""Get or run the steps of a workflow in sequence, with the parameters given to main."""

from collections.abc import Mapping
from contextlib import ExitStack

from common.champion.gates import check_task
from common.data.spec import DatasetSpec
from common.learning.early_checks import check_folds, check_settings
from common.learning.learners import DEFAULT, Learner, default_learner, get_learner
from common.learning.tasks import find_metric
from common.learning.threshold import parse_threshold
from common.search.grid import adds_candidates
from common.store import tracking
from common.store.conf import load_gates, load_grid
from common.store.get_or_run import StartedStep, StepRun, get_or_run, get_or_start
from common.store.grids import check_grid
from common.store.spaces import check_space
from common.store.step_run import RAREST_ROWS, TRAIN_ROWS, Tell
from common.workflow.declaration import handed_to


class Chain:
    """Runs the steps of a workflow.

    Attributes:
        done: The finished steps, in the order in which they were run or waited for.
    """

    def __init__(
        self, experiment_id: str, given: Mapping[str, object], use_cache: bool, background: ExitStack
    ) -> None:
        """Create a chain with the settings that all steps share.

        Args:
            experiment_id: The experiment in which to find and create runs.
            given: The parameters of main; each step gets those that it also takes.
            use_cache: Whether to reuse the runs of earlier steps.
            background: An exit stack that cancels the steps still running when it is closed.
        """
        self.experiment_id, self.given, self.use_cache = experiment_id, given, use_cache
        self.background = background
        self.done: list[StepRun] = []

    def suit(self, spec: DatasetSpec) -> Learner:
        """Choose the learner and the metric for a data set's task, and return the learner.

        Raises:
            UserError: The task does not have the learner, the metric or the gates that were asked for,
                or the learner not the grid, the space or the engine.
        """
        name = str(self.given["learner"])
        learner = get_learner(default_learner(spec.task) if name == DEFAULT else name)
        learner.fitting(spec.task)
        engine = str(self.given["engine"])
        check_grid(learner.name, str(self.given["grid"]), engine)
        check_space(learner.name, str(self.given["space"]), engine)
        threshold = parse_threshold(str(self.given["threshold"]))
        missing, balance = str(self.given["missing"]), bool(self.given["balance"])
        check_settings(learner, spec.task, missing, balance, threshold)
        check_task(load_gates(str(self.given["gates"])), spec.task)
        metric = find_metric(str(self.given["metric"]), spec.task)
        self.given = {**self.given, "learner": learner.name, "metric": metric}
        return learner

    def check_folds(self, split: StepRun, task: str) -> None:
        """Refuse more folds than a split's training rows have.

        Raises:
            UserError: There are too many.
        """
        found = tracking.get_run(split.uri()).data.metrics
        rows, rarest = (int(found[name]) for name in (TRAIN_ROWS, RAREST_ROWS))
        check_folds(int(str(self.given["folds"])), task, rows, rarest)

    def run(self, step: str, reusable: bool = True, **inputs: object) -> StepRun:
        """Return a reusable run of a step, or run the step and wait for it."""
        cached = self.use_cache and reusable
        self.done.append(get_or_run(step, self._parameters(step, inputs), cached, self.experiment_id))
        return self.done[-1]

    def start(self, step: str, **inputs: object) -> StartedStep:
        """Return a reusable run of a step, or start the step; it is cancelled if the workflow fails."""
        parameters = self._parameters(step, inputs)
        started = get_or_start(step, parameters, self.use_cache, self.experiment_id)
        self.background.callback(started.cancel)
        return started

    def wait(self, started: StartedStep) -> StepRun:
        """Wait for a started step."""
        self.done.append(started.wait())
        return self.done[-1]

    def search_grids(self, features: str, rounds: int, learner: Learner, tell: Tell) -> list[str]:
        """Search main's grid, then the grid that each search suggests; return the searches' URIs.

        Args:
            features: The URI of the features.
            rounds: The largest number of searches.
            learner: The learner of the first grid; those after it belong to its winner's.
            tell: A function that receives a message when nothing is left to try.
        """
        grid = load_grid(str(self.given["grid"]), learner)
        searches = [self.run("train_grid", features=features)]
        for _ in range(1, rounds):
            following = searches[-1].uri("next_grid.yaml")
            if learner.entrants:
                learner = get_learner(tracking.get_run(searches[-1].uri()).data.tags["learner"])
                grid = grid[learner.name]
            further = load_grid(following, learner)
            if not adds_candidates(further, grid, learner):
                tell(f"no further round: {following} contains nothing new to try")
                break
            searches.append(
                self.run("train_grid", features=features, grid=following, learner=learner.name)
            )
            grid = further
        return [done.uri() for done in searches]

    def _parameters(self, step: str, inputs: Mapping[str, object]) -> dict[str, object]:
        return {**handed_to(step, self.given), **inputs}
