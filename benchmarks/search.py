"""A timed search as the steps run it: the engine is built, candidates are scored and tracked."""

import time
from collections.abc import Sequence
from contextlib import nullcontext

from mlflow.entities import Run

from common.learning.learners import Learner
from common.learning.parameters import Parameters
from common.search.engines.choice import Choice, make_engine
from common.search.folds import FoldData
from common.search.result import CandidateResult
from common.store.candidate_runs import CandidateWriter

from .adult import SEED


def timed_search(
    engine: str, data: FoldData, learner: Learner, candidates: Sequence[Parameters], run: Run | None
) -> tuple[float, dict[str, CandidateResult]]:
    """Run a search and measure its wall time.

    Args:
        engine: Name of the engine: boosting or mllib.
        data: The cached fold data.
        learner: The learner to search.
        candidates: The candidates to score.
        run: Parent run of the candidates' runs; None to track nothing.

    Returns:
        The time in seconds, and the results by candidate name.
    """
    started = time.perf_counter()
    made = make_engine(Choice(engine, "requested"), data, learner, SEED)
    found: dict[str, CandidateResult] = {}
    with CandidateWriter(run, {"learner": learner.name}) if run else nullcontext() as writer:
        for outcome in made.evaluate(candidates):
            assert isinstance(outcome, CandidateResult), outcome
            found[outcome.name] = outcome
            if writer is not None:
                writer.add(outcome)
    return time.perf_counter() - started, found
