"""The coarse grid searched by Spark's CrossValidator, our mllib engine and our boosting engine.

python -m benchmarks.coarse_grid [--source FILE] [--full]
"""

import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import click
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame

from common.learning.learners import get_learner
from common.learning.parameters import Parameters
from common.learning.vectorizer import FEATURES, LABEL
from common.machine.spark import get_session
from common.search.engines.boosting.driver import BoostingEngine
from common.search.folds import FOLD, FoldData
from common.search.grid import grid_candidates
from common.search.refit import refit_winner
from common.search.result import CandidateResult, candidate_name, ranked
from common.store.conf import load_grid

from .adult import FOLDS, SEED, adult_folds, search_run, source_option
from .report import report
from .search import timed_search

GBT = get_learner("gbt")
REPEATS = 3


def sample_of(candidates: Sequence[Parameters]) -> list[Parameters]:
    """Return one candidate in nine: every depth and number of trees, with middle values of the rest."""
    return [c for c in candidates if c["maxBins"] == 16 and c["stepSize"] == 0.2]


def cross_validate(rows: DataFrame, candidates: Sequence[Parameters]) -> tuple[float, dict[str, float]]:
    """Return CrossValidator's time in seconds, final refit included, and each candidate's mean F1.

    Args:
        rows: The rows with their fold.
        candidates: The candidates to score, by weighted F1.
    """
    gbt = GBTClassifier(featuresCol=FEATURES, labelCol=LABEL, seed=SEED)
    maps = [{gbt.getParam(name): value for name, value in c.items()} for c in candidates]
    evaluator = MulticlassClassificationEvaluator(labelCol=LABEL, metricName="f1")
    validator = CrossValidator(
        estimator=gbt,
        estimatorParamMaps=maps,
        evaluator=evaluator,
        numFolds=FOLDS,
        foldCol=FOLD,
        parallelism=rows.sparkSession.sparkContext.defaultParallelism,
    )
    started = time.perf_counter()
    model = validator.fit(rows)
    seconds = time.perf_counter() - started
    names = [candidate_name(c) for c in candidates]
    return seconds, dict(zip(names, model.avgMetrics, strict=True))


@click.command()
@source_option
@click.option(
    "--full", is_flag=True, help="Run all 54 candidates on each engine instead of extrapolating."
)
def coarse_grid(source: str, full: bool) -> None:
    """Time three engines on the coarse grid, with the same rows and folds."""
    spark = get_session()
    candidates = grid_candidates(load_grid("gbt_coarse", GBT), GBT)
    sample = candidates if full else sample_of(candidates)
    with adult_folds(spark, source) as (rows, data):
        tracked, untracked, found = _boosting(data, candidates)
        best = ranked(list(found.values()), "f1_weighted")[0]
        refitted = _timed_refit(best.parameters, data, None)
        by_engine = _timed_refit(best.parameters, data, BoostingEngine(data, GBT, SEED))
        mllib, by_mllib = _mllib(data, sample)
        validator, by_validator = cross_validate(rows, sample)
        our_layout, _ = cross_validate(data.frame, sample)
    scale = len(candidates) / len(sample)
    searches = {
        "CrossValidator": (validator - refitted) * scale,
        "CrossValidator, rows laid out as ours": (our_layout - refitted) * scale,
        "mllib, tracked": mllib * scale,
        "boosting, tracked": median(tracked),
    }
    facts = {
        "extrapolated from": f"{len(sample)} of {len(candidates)} candidates, all but boosting",
        "tracking adds": f"{median(tracked) / median(untracked) - 1:.1%}",
        "boosting runs, s": [round(s, 1) for s in tracked],
        "refit of the winner by Spark's estimator, s, not included in `search s`": round(refitted, 1),
        "refit of the winner by the boosting engine and its check, s": round(by_engine, 1),
        "largest difference in mean weighted F1, boosting - CrossValidator": _gap(found, by_validator),
        "largest difference in mean weighted F1, mllib - CrossValidator": _gap(by_mllib, by_validator),
    }
    refits = dict.fromkeys(searches, refitted) | {"boosting, tracked": by_engine}
    report("coarse_grid", _table(searches, refits), facts)


def _timed_refit(parameters: Parameters, data: FoldData, engine: BoostingEngine | None) -> float:
    started = time.perf_counter()
    refit_winner(parameters, GBT, data, SEED, engine).check([data.frame])
    return time.perf_counter() - started


def _boosting(
    data: FoldData, candidates: Sequence[Parameters]
) -> tuple[list[float], list[float], dict[str, CandidateResult]]:
    """Return the times with and without tracking, in seconds, and the results of the last search."""
    tracked, untracked = [], []
    found: dict[str, CandidateResult] = {}
    # One more round than is counted, since the first includes Java's compilation.
    for _ in range(REPEATS + 1):
        untracked.append(timed_search("boosting", data, GBT, candidates, None)[0])
        with search_run() as run:
            seconds, found = timed_search("boosting", data, GBT, candidates, run)
        tracked.append(seconds)
    return tracked[1:], untracked[1:], found


def _mllib(data: FoldData, sample: Sequence[Parameters]) -> tuple[float, dict[str, CandidateResult]]:
    with search_run() as run:
        return timed_search("mllib", data, GBT, sample, run)


def _table(searches: Mapping[str, float], refits: Mapping[str, float]) -> list[dict[str, Any]]:
    whole, by_spark = (seconds["CrossValidator"] for seconds in (searches, refits))
    return [
        {
            "54 candidates x 5 folds": name,
            "search s": round(seconds, 1),
            "times faster": round(whole / seconds, 1),
            "with refit s": round(seconds + refits[name], 1),
            "times faster with refit": round((whole + by_spark) / (seconds + refits[name]), 1),
        }
        for name, seconds in searches.items()
    ]


def _gap(found: Mapping[str, CandidateResult], validator: Mapping[str, float]) -> str:
    return f"{max(abs(found[name].mean('f1_weighted') - f1) for name, f1 in validator.items()):.1e}"


if __name__ == "__main__":
    coarse_grid()
