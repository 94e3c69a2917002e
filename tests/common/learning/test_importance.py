from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pyspark.ml.classification import NaiveBayes
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import functions as F

from common.data.target import BINARY
from common.learning.importance import column_importance
from common.learning.learners import LEARNERS, get_learner
from common.learning.vectorizer import FEATURES, LABEL
from common.search.folds import FOLD_RANK
from tests.conftest import PARAMETERS

# The second and third feature come from one column, as one-hot features do.
SOURCES = ["a", "b", "b"]
# The features of b are one-hot.
NUMBERS = 1
SMALL = {
    "gbt": {"maxIter": 2, "maxDepth": 3},
    "xgboost": {"n_estimators": 2, "max_depth": 3},
    "random_forest": {"numTrees": 2, "maxDepth": 3},
}


def fit(learner, parameters, rows):
    return get_learner(learner).fitting(BINARY).estimator(parameters, 1).fit(rows)


@pytest.mark.parametrize("learner", SMALL)
def test_trees_shares_are_added_up_by_column(learner, vectors):
    model = fit(learner, SMALL[learner], vectors)
    found = column_importance(model, SOURCES, NUMBERS, vectors)
    assert sorted(found.index) == ["a", "b"]
    assert found.sum() == pytest.approx(1)
    assert found.is_monotonic_decreasing
    if learner == "gbt":
        assert found["a"] == pytest.approx(model.featureImportances[0])


@pytest.mark.parametrize("learner", [name for name, one in LEARNERS.items() if BINARY in one.fittings])
def test_every_learner_tells_how_much_each_column_matters(learner, vectors):
    model = fit(learner, PARAMETERS[learner], vectors)
    found = column_importance(model, SOURCES, NUMBERS, vectors)
    assert sorted(found.index) == ["a", "b"]
    assert found.sum() == pytest.approx(1)


def test_linear_model_of_several_labels_is_told_as_well(vectors):
    three = vectors.withColumn(LABEL, (F.col(FOLD_RANK) % 3).cast("double"))
    model = fit("logistic_regression", {"maxIter": 3}, three)
    assert column_importance(model, SOURCES, NUMBERS, three).sum() == pytest.approx(1)


def test_model_of_another_kind_is_named(vectors):
    model = NaiveBayes(featuresCol=FEATURES, labelCol=LABEL).fit(vectors)
    with pytest.raises(ValueError, match="how much columns matter to a NaiveBayesModel"):
        column_importance(model, SOURCES, NUMBERS, vectors)


def test_linear_columns_count_by_how_far_what_they_add_varies(spark):
    rows = [
        (float(i % 7), float(i % 3 == 0), float(i % 3 == 1), float(i % 7 + 4 * (i % 3) > 6))
        for i in range(84)
    ]
    frame = spark.createDataFrame(rows, ["x", "one", "other", LABEL])
    frame = VectorAssembler(inputCols=["x", "one", "other"], outputCol=FEATURES).transform(frame)
    model = fit("logistic_regression", {"maxIter": 5, "regParam": 0.1}, frame)
    found = column_importance(model, SOURCES, NUMBERS, frame)
    table, weight = frame.toPandas(), model.coefficients
    a = (table["x"] * weight[0]).std()
    b = (table["one"] * weight[1] + table["other"] * weight[2]).std()
    assert found["a"] / found["b"] == pytest.approx(a / b, rel=0.02)


@pytest.mark.parametrize("labels", [2, 3])
def test_numbers_of_one_column_count_by_what_they_add_together(spark, monkeypatch, labels):
    """As the year and the days of a date, whose weights may be large and cancel."""
    monkeypatch.setattr("common.learning.importance.AT_ONCE", 1)
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
    table["b"] = table["a"] + 0.01 * table["b"]
    frame = spark.createDataFrame(table)
    frame = VectorAssembler(inputCols=list("abcd"), outputCol=FEATURES).transform(frame)
    weights = np.array([[50.0, -50.0, 0.5, -0.7], [1.0, 2.0, 0.0, 0.3], [0.0, 0.1, 1.0, 2.0]])[
        : labels if labels > 2 else 1
    ]
    matrix = SimpleNamespace(toArray=lambda: weights)
    model = SimpleNamespace(
        numClasses=labels,
        coefficientMatrix=matrix,
        coefficients=SimpleNamespace(toArray=lambda: weights[0]),
    )
    found = column_importance(model, ["date", "date", "also", "also"], 4, frame)
    cells = table.to_numpy()
    spread = [
        np.mean([(cells[:, group] @ weight[group]).std(ddof=1) for weight in weights])
        for group in ([0, 1], [2, 3])
    ]
    assert found["date"] == pytest.approx(spread[0] / sum(spread))
    assert found["also"] == pytest.approx(spread[1] / sum(spread))
