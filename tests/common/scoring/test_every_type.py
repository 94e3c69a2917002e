"""The graph compared with its pipeline: every task, learner, encoding and way to treat missing values."""

import functools

import numpy as np
import pandas as pd
import pytest
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.learning.learners import LEARNERS
from common.learning.prepare import IMPUTE, NATIVE
from common.scoring.outputs import outputs_of
from common.scoring.serving import Scorer
from common.scoring.stages import pipeline_model
from tests.common.scoring.every_type import (
    LABELS,
    arrays_of,
    fit,
    frame_of,
    rows_of,
    spec_of,
    strange_rows,
)

CASES = [
    (task, learner.name, encoding, missing, lacking)
    for task in (BINARY, MULTICLASS, REGRESSION)
    for learner in LEARNERS.values()
    if task in learner.fittings
    for encoding in ("onehot", "index")
    for missing, lacking in ((IMPUTE, False), (IMPUTE, True), (NATIVE, True))
    if missing == IMPUTE or learner.name == "xgboost"
    # Without gaps the vectoriser differs, not what a learner makes of its features.
    if lacking or learner.name == "random_forest"
]


@pytest.fixture(scope="module")
def asked(spark):
    """Rows to score, and their frame, for a task with or without missing values."""

    @functools.cache
    def asked(task, lacking):
        rows = rows_of(task, lacking) + strange_rows(lacking)
        return rows, frame_of(spark, spec_of(task, lacking), rows).cache()

    return asked


def spark_answer(pipeline, frame, task):
    """What the pipeline answers, with the columns of the portable model."""
    scored, k = pipeline.transform(frame), len(LABELS[task])
    if task == REGRESSION:
        return scored.select("prediction").toPandas()
    each = [F.coalesce(F.get(vector_to_array("probability"), F.lit(i)), F.lit(0.0)) for i in range(k)]
    each = each[1:] if task == BINARY else each
    return scored.select("prediction", *[p.alias(f"p{i}") for i, p in enumerate(each)]).toPandas()


@pytest.mark.slow
@pytest.mark.parametrize(("task", "learner", "encoding", "missing", "lacking"), CASES)
def test_every_row_is_scored_as_by_spark(spark, asked, task, learner, encoding, missing, lacking):
    pipeline, spec = fit(spark, task, learner, encoding, missing, lacking)
    rows, frame = asked(task, lacking)
    theirs = spark_answer(pipeline, frame, task)
    scorer = Scorer(pipeline_model(pipeline, spec).SerializeToString())
    ours = pd.DataFrame(scorer.score(arrays_of(spec, rows)))
    assert list(ours) == list(outputs_of(spec.target))
    assert theirs["prediction"].nunique() > 1
    numbers = slice(0 if task == REGRESSION else 1, None)
    if task != REGRESSION:
        assert ours["prediction"].tolist() == theirs["prediction"].tolist()
    expected = theirs.iloc[:, numbers].to_numpy(float)
    apart = np.abs(ours.iloc[:, numbers].to_numpy(float) - expected) / np.maximum(1, np.abs(expected))
    # A booster computes in single precision, and its exponential is not exact to the last bit. Weights of
    # columns that say almost the same are large, and cancel each other.
    precision = {"xgboost": 1e-6, "linear_regression": 1e-9}
    assert apart.max() < precision.get(learner, 1e-13)
