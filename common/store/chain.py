"""The steps of a workflow one after the other, each got or run with what main was given."""

from collections.abc import Mapping
from contextlib import ExitStack

from common.learning.learners import Learner
from common.search.grid import adds_candidates
from common.store.conf import load_grid
from common.store.get_or_run import StartedStep, StepRun, get_or_run, get_or_start
from common.store.step_run import Tell
from common.workflow.declaration import handed_to


class Chain:
    """The steps of a workflow.

    Attributes:
        done: those that have finished, in their order.
    """

    def __init__(
        self, experiment_id: str, given: Mapping[str, object], use_cache: bool, background: ExitStack
    ) -> None:
        """Take what all steps share.

        Args:
            experiment_id: where to look and run.
            given: main's parameters; each step is handed those that it takes too.
            use_cache: whether steps that ran before are reused.
            background: ends, when it is left, the steps that are still under way.
        """
        self.experiment_id, self.given, self.use_cache = experiment_id, given, use_cache
        self.background = background
        self.done: list[StepRun] = []

    def run(self, step: str, reusable: bool = True, **inputs: object) -> StepRun:
        """Get a step's run, or run it and wait for it."""
        cached = self.use_cache and reusable
        self.done.append(get_or_run(step, self._parameters(step, inputs), cached, self.experiment_id))
        return self.done[-1]

    def start(self, step: str, **inputs: object) -> StartedStep:
        """Get a step's run, or start it; it is cancelled if the workflow fails meanwhile."""
        parameters = self._parameters(step, inputs)
        started = get_or_start(step, parameters, self.use_cache, self.experiment_id)
        self.background.callback(started.cancel)
        return started

    def wait(self, started: StartedStep) -> StepRun:
        """Wait for a step that was started."""
        self.done.append(started.wait())
        return self.done[-1]

    def search_grids(self, features: str, rounds: int, learner: Learner, tell: Tell) -> list[str]:
        """Search main's grid, then what each search suggests; return the searches' URIs.

        Args:
            features: URI.
            rounds: searches at the most.
            learner: whose grids they are.
            tell: is told when there is nothing left to try.
        """
        grid = str(self.given["grid"])
        searches = [self.run("train_grid", features=features)]
        for _ in range(1, rounds):
            following = searches[-1].uri("next_grid.yaml")
            if not adds_candidates(load_grid(following, learner), load_grid(grid, learner), learner):
                tell(f"no further round: {following} has nothing that was not tried")
                break
            searches.append(self.run("train_grid", features=features, grid=following))
            grid = following
        return [done.uri() for done in searches]

    def _parameters(self, step: str, inputs: Mapping[str, object]) -> dict[str, object]:
        return {**handed_to(step, self.given), **inputs}
