"""Boosted trees of several labels: the engine's scores, XGBoost's own, and the refitted winner's."""

import numpy as np
import pytest
import xgboost as xgb
from pyspark.ml.functions import vector_to_array
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import types as T
from sklearn import metrics as theirs
from xgboost.sklearn import XGBClassifier

from common.data.target import BINARY, MULTICLASS, REGRESSION, Target
from common.learning.class_metrics import CLASS_METRICS
from common.learning.learners import get_learner
from common.learning.tasks import scores
from common.learning.vectorizer import FEATURES, LABEL
from common.search.engines.boosting.driver import BoostingEngine
from common.search.folds import FOLD_RANK, fold_data
from common.search.refit import refit_winner
from common.search.winner import model_table

XGBOOST = get_learner("xgboost")
THREE = Target(MULTICLASS, ("low", "middle", "high"))
PARAMETERS = {"n_estimators": 6, "max_depth": 3, "learning_rate": 0.3, "max_bin": 64}
ROWS = 1500


def features(missing):
    """Return two numbers and three indicators of each row; some numbers are missing."""
    generator = np.random.default_rng(8)
    numbers, kind = generator.normal(size=(ROWS, 2)), generator.integers(0, 3, ROWS)
    signal = numbers[:, 0] + (kind == 1) * numbers[:, 1] + generator.normal(size=ROWS) / 3
    numbers[generator.random((ROWS, 2)) < missing] = np.nan
    return np.hstack([numbers, np.eye(3)[kind]]), signal


def data_of(spark, target, missing):
    found, signal = features(missing)
    label = {
        BINARY: signal > 0.3,
        MULTICLASS: np.digitize(signal, [-0.7, 0.9]),
        REGRESSION: 300_000 + 1e5 * signal,
    }[target.task]
    rows = [
        (Vectors.dense(row), float(y), i)
        for i, (row, y) in enumerate(zip(found.tolist(), label.tolist(), strict=True))
    ]
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long")
    return fold_data(spark.createDataFrame(rows, schema), 3, target), found, label


@pytest.fixture(scope="module", params=[0.0, 0.2], ids=["whole", "missing numbers"])
def three(request, spark):
    data, found, label = data_of(spark, THREE, request.param)
    yield data, found, label
    data.frame.unpersist()


def test_scores_are_those_of_xgboost_on_the_same_rows(three):
    data, found, label = three
    (outcome,) = BoostingEngine(data, XGBOOST, seed=7).evaluate([PARAMETERS])
    fold = np.arange(ROWS) % 3
    for place, ours in enumerate(outcome.folds):
        out = fold == place
        classifier = XGBClassifier(**PARAMETERS, tree_method="hist", random_state=7, n_jobs=1)
        said = classifier.fit(found[~out], label[~out]).predict_proba(found[out])
        assert tuple(ours) == CLASS_METRICS
        assert ours == {
            "log_loss": pytest.approx(theirs.log_loss(label[out], said), abs=1e-6),
            "accuracy": theirs.accuracy_score(label[out], said.argmax(axis=1)),
            "roc_auc": pytest.approx(theirs.roc_auc_score(label[out], said, multi_class="ovr"), abs=1e-6),
            "f1_macro": pytest.approx(theirs.f1_score(label[out], said.argmax(axis=1), average="macro")),
            "f1_weighted": pytest.approx(
                theirs.f1_score(label[out], said.argmax(axis=1), average="weighted")
            ),
            "recall_macro": pytest.approx(
                theirs.recall_score(label[out], said.argmax(axis=1), average="macro")
            ),
        }
        assert ours["log_loss"] < data.guess["log_loss"] * 0.8


def test_refitted_winner_says_what_its_booster_says(three):
    data, found, _ = three
    model = refit_winner(PARAMETERS, XGBOOST, data, seed=7).model
    order = {tuple(np.nan_to_num(row, nan=-9)): place for place, row in enumerate(found)}
    rows = model.transform(data.frame).select(
        vector_to_array(FEATURES).alias("x"),
        vector_to_array("probability").alias("p"),
        "prediction",
        LABEL,
    )
    rows = rows.toPandas()
    places = [order[tuple(np.nan_to_num(np.array(x), nan=-9))] for x in rows["x"]]
    # Rows without numbers are alike but for their labels.
    said, own = np.array(rows["p"].tolist()), rows[LABEL].to_numpy()
    assert said.shape == (ROWS, 3)
    by_booster = model.get_booster().predict(xgb.DMatrix(found[places]))
    assert np.abs(said - by_booster).max() < 1e-6
    assert rows["prediction"].tolist() == by_booster.argmax(axis=1).tolist()
    alone = xgb.train(
        {
            "objective": "multi:softprob",
            "num_class": 3,
            "max_depth": 3,
            "eta": 0.3,
            "max_bin": 64,
            "seed": 7,
        },
        xgb.QuantileDMatrix(found[places], own, max_bin=64),
        PARAMETERS["n_estimators"],
    )
    assert np.abs(alone.predict(xgb.DMatrix(found[places])) - said).max() < 1e-5
    table = model_table(model, data.frame, THREE)
    assert scores(table)["log_loss"] == pytest.approx(theirs.log_loss(own, said), abs=1e-6)


@pytest.mark.parametrize("target", [Target(BINARY, ("no", "yes")), Target(REGRESSION)])
def test_missing_numbers_reach_xgboost_as_missing(spark, target):
    """A zero of a number is a value, and a missing number none, in each fold as in the refit."""
    data, found, label = data_of(spark, target, 0.2)
    matrix = BoostingEngine(data, XGBOOST, seed=7).sent_matrix.value
    assert np.isnan(matrix.numbers).mean() == pytest.approx(0.2, abs=0.03)
    assert matrix.places.tolist() == [0, 1]
    assert matrix.indicators.nnz == ROWS
    (outcome,) = BoostingEngine(data, XGBOOST, seed=7).evaluate([PARAMETERS])
    # The training rows' own scores, of a model fitted on all of them.
    own = scores(model_table(refit_winner(PARAMETERS, XGBOOST, data, seed=7).model, data.frame, target))
    metric = "roc_auc" if target.task == BINARY else "r2"
    assert own[metric] > outcome.mean(metric) > data.guess[metric] + 0.3
    fold = np.arange(ROWS) % 3 == 0
    kind = xgb.XGBClassifier if target.task == BINARY else xgb.XGBRegressor
    model = kind(**PARAMETERS, tree_method="hist", random_state=7, n_jobs=1)
    model.fit(found[~fold], label[~fold])
    if target.task == BINARY:
        expected = theirs.roc_auc_score(label[fold], model.predict_proba(found[fold])[:, 1])
    else:
        expected = theirs.r2_score(label[fold], model.predict(found[fold]))
    assert outcome.folds[0][metric] == pytest.approx(expected, abs=1e-6)
    data.frame.unpersist()


def test_log_loss_of_a_sure_model_is_that_of_its_own_probabilities(spark):
    """Which are 1 in single precision where its margins are large: a wrong one is as wrong as can be."""
    data, found, label = data_of(spark, Target(BINARY, ("no", "yes")), 0.0)
    sure = {"learning_rate": 1.0, "reg_lambda": 0.0, "min_child_weight": 0.0, "n_estimators": 200}
    (outcome,) = BoostingEngine(data, XGBOOST, seed=7).evaluate([sure])
    out = np.arange(ROWS) % 3 == 0
    model = xgb.XGBClassifier(**sure, tree_method="hist", random_state=7, n_jobs=1)
    said = model.fit(found[~out], label[~out]).predict_proba(found[out])
    true = said[np.arange(len(said)), label[out].astype(int)].astype(float)
    assert (true == 0).any()
    expected = -np.log(np.maximum(true, 1e-15)).mean()
    assert outcome.folds[0]["log_loss"] == pytest.approx(expected, abs=1e-6)
    data.frame.unpersist()
