"""learner=xgboost against scikit-learn's GridSearchCV with XGBClassifier: same rows, folds and jobs.

python -m benchmarks.xgboost_grid [--source FILE]
"""

import os
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import click
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from xgboost import XGBClassifier

from common.learning.learners import get_learner
from common.machine.spark import get_session
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.boosting.matrix import FoldMatrix
from common.search.grid import grid_candidates
from common.search.result import CandidateResult, candidate_name
from common.store.conf import load_grid

from .adult import SEED, adult_folds, search_run, source_option
from .report import report
from .search import timed_search

REPEATS = 3


@click.command()
@source_option
def xgboost_grid(source: str) -> None:
    """Time the xgboost grid, ours with tracking and theirs without, in turn."""
    learner = get_learner("xgboost")
    grid = load_grid("xgboost", learner)
    candidates = grid_candidates(grid, learner)
    ours, theirs = [], []
    found: dict[str, CandidateResult] = {}
    with adult_folds(get_session(), source) as (_, data):
        matrix = BoostingEngine(data, learner, SEED).sent_matrix.value
        for _ in range(REPEATS + 1):
            with search_run() as run:
                seconds, found = timed_search("boosting", data, learner, candidates, run)
            ours.append(seconds)
            seconds, means = grid_search(grid, matrix)
            theirs.append(seconds)
    ours, theirs = ours[1:], theirs[1:]
    rows = [
        {"54 candidates x 5 folds": "GridSearchCV, nothing tracked", "s": round(median(theirs), 1)},
        {"54 candidates x 5 folds": "ours, tracked", "s": round(median(ours), 1)},
    ]
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    gap = max(abs(result.mean("f1_weighted") - means[name]) for name, result in found.items())
    facts = {
        "ours / theirs, pair by pair": [round(ratio, 3) for ratio in ratios],
        "ours / theirs, median": round(median(ratios), 3),
        "largest difference in mean weighted F1": f"{gap:.1e}",
    }
    report("xgboost_grid", rows, facts)


def grid_search(grid: Mapping[str, Any], matrix: FoldMatrix) -> tuple[float, dict[str, float]]:
    """Return GridSearchCV's time in seconds, and the mean weighted F1 by candidate."""
    jobs = os.cpu_count() or 1
    classifier = XGBClassifier(tree_method="hist", n_jobs=1, random_state=SEED)
    folds = PredefinedSplit(matrix.fold)
    search = GridSearchCV(
        classifier, dict(grid), scoring="f1_weighted", cv=folds, n_jobs=jobs, refit=False
    )
    started = time.perf_counter()
    search.fit(matrix.features().csr(), matrix.label)
    seconds = time.perf_counter() - started
    results = search.cv_results_
    names = map(candidate_name, results["params"])
    return seconds, dict(zip(names, results["mean_test_score"].tolist(), strict=True))


if __name__ == "__main__":
    xgboost_grid()
