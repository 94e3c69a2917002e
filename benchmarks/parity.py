"""Agreement of the boosting engine's scores with Spark's, compared with Spark's own from seed to seed.

python -m benchmarks.parity [--source FILE]
"""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import numpy as np
from scipy.stats import spearmanr

from common.learning.learners import get_learner
from common.learning.parameters import Parameters
from common.machine.spark import get_session
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.choice import Engine
from common.search.engines.mllib import MllibEngine
from common.search.grid import grid_candidates
from common.search.result import CandidateResult

from .adult import SEED, adult_folds, source_option
from .report import report

GBT = get_learner("gbt")
# Every depth with every number of bins and of trees, and another step size for the deepest trees.
SPREAD: tuple[dict[str, list[Any]], ...] = (
    {"maxDepth": [1, 5, 7], "maxBins": [8, 16, 32], "maxIter": [25, 50], "stepSize": [0.2]},
    {"maxDepth": [7], "maxBins": [32], "maxIter": [25, 50], "stepSize": [0.3]},
)


@click.command()
@source_option
def parity(source: str) -> None:
    """Score 20 candidates of the coarse grid with both engines, and with mllib under another seed."""
    candidates = [c for grid in SPREAD for c in grid_candidates(grid, GBT)]
    with adult_folds(get_session(), source) as (_, data):
        ours = _means(BoostingEngine(data, GBT, SEED), candidates)
        sparks = _means(MllibEngine(data, GBT, SEED), candidates)
        others = _means(MllibEngine(data, GBT, SEED + 1), candidates)
    rows = [
        {
            "candidate": name,
            "boosting": round(ours[name], 6),
            "mllib": round(sparks[name], 6),
            "boosting - mllib": round(ours[name] - sparks[name], 6),
            "mllib, other seed - mllib": round(others[name] - sparks[name], 6),
        }
        for name in ours
    ]
    facts = {
        **_differences("boosting against mllib, same seed", ours, sparks),
        **_differences("mllib against mllib, another seed", others, sparks),
    }
    report("parity", rows, facts)


def _means(engine: Engine, candidates: Sequence[Parameters]) -> dict[str, float]:
    outcomes = engine.evaluate(candidates)
    means = {o.name: o.mean("f1_weighted") for o in outcomes if isinstance(o, CandidateResult)}
    assert len(means) == len(candidates), "a candidate failed"
    return dict(sorted(means.items()))


def _differences(what: str, one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, str]:
    apart = np.abs([one[name] - other[name] for name in other])
    rank = spearmanr([one[name] for name in other], list(other.values())).statistic
    return {
        what: f"weighted F1 differs by {apart.mean():.6f} on average, {apart.max():.6f} at most; "
        f"rank correlation {rank:.4f}"
    }


if __name__ == "__main__":
    parity()
