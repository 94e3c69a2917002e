"""The engine's refit of a winner beside Spark's own, and Spark's own under other seeds.

python -m benchmarks.refits [--source FILE]

The models are compared on rows that none was fitted on: a fifth of Adult's training rows.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
import numpy as np
import pandas as pd
from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.learning.learners import get_learner
from common.learning.parameters import Parameters
from common.learning.tasks import scores
from common.learning.vectorizer import FEATURES
from common.machine.spark import get_session
from common.search.engines.boosting.driver import BoostingEngine
from common.search.folds import FOLD, FoldData
from common.search.refit import refit_winner
from common.search.winner import model_table

from .adult import SEED, adult_folds, source_option
from .report import report

GBT = get_learner("gbt")
# The coarse grid's winner, one whose trees draw some of the rows, and a shallow one.
CANDIDATES: tuple[Parameters, ...] = (
    {"maxDepth": 5, "maxIter": 50},
    {"maxDepth": 5, "maxIter": 50, "subsamplingRate": 0.7},
    {"maxDepth": 2, "maxIter": 50},
)
SEEDS = (SEED, SEED + 1, SEED + 2)
UNSEEN = 0


@click.command()
@source_option
def refits(source: str) -> None:
    """Refit candidates by the engine and by Spark, each with three seeds."""
    with adult_folds(get_session(), source) as (_, whole):
        train, unseen = whole.train(UNSEEN).cache(), whole.validation(UNSEEN).cache()
        # The engine expects numbers of folds from 0.
        rows = train.count()
        data = replace(
            whole, frame=train.withColumn(FOLD, F.col(FOLD) - 1), folds=whole.folds - 1, rows=rows
        )
        found = [one for parameters in CANDIDATES for one in _compared(parameters, data, unseen)]
    pairs = pd.DataFrame(found)
    means = pairs.groupby(["candidate", "pair"], sort=False).mean().reset_index()
    facts = {
        f"{row.candidate}; {row.pair}": f"probabilities differ by {row['mean |dp|']:.5f} on average, "
        f"{row['other labels']:.2%} of labels, roc_auc {row['|d roc_auc|']:.5f}, f1 {row['|d f1|']:.5f}"
        for _, row in means.iterrows()
    }
    report("refits", found, facts)


def _compared(parameters: Parameters, data: FoldData, unseen: DataFrame) -> list[dict[str, Any]]:
    ours, sparks = [], []
    for seed in SEEDS:
        engine = BoostingEngine(data, GBT, seed)
        ours.append(_refitted(parameters, data, seed, unseen, engine))
        sparks.append(_refitted(parameters, data, seed, unseen, None))
    name = " ".join(f"{key}={value}" for key, value in parameters.items())
    pairs = [("engine and Spark, same seed", one, other) for one, other in zip(ours, sparks, strict=True)]
    apart = ((0, 1), (0, 2), (1, 2))
    pairs += [("Spark and Spark, another seed", sparks[a], sparks[b]) for a, b in apart]
    return [{"candidate": name, "pair": pair, **_apart(one, other)} for pair, one, other in pairs]


def _refitted(
    parameters: Parameters, data: FoldData, seed: int, unseen: DataFrame, engine: BoostingEngine | None
) -> dict[str, Any]:
    started = time.perf_counter()
    found = refit_winner(parameters, GBT, data, seed, engine)
    found.check([data.frame, unseen])
    seconds = time.perf_counter() - started
    table = scores(model_table(found.model, unseen, data.target))
    return {"seconds": seconds, "probability": _probability(found.model, unseen), **table}


def _probability(model: Model, rows: DataFrame) -> np.ndarray:
    positive = vector_to_array(F.col("probability"))[1].alias("probability")
    said = model.transform(rows.select(FEATURES)).select(positive).toArrow()
    return np.asarray(said["probability"])


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float]:
    p, q = one["probability"], other["probability"]
    return {
        "mean |dp|": round(float(np.abs(p - q).mean()), 6),
        "largest |dp|": round(float(np.abs(p - q).max()), 4),
        "other labels": round(float(((p > 0.5) != (q > 0.5)).mean()), 5),
        **{f"|d {name}|": round(abs(one[name] - other[name]), 6) for name in ("roc_auc", "f1")},
        "s": round(one["seconds"], 1),
        "other s": round(other["seconds"], 1),
    }


if __name__ == "__main__":
    refits()
