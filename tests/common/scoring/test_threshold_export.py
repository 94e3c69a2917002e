"""A pipeline with a threshold of its own predicts, exports and is told by it."""

import numpy as np
import pytest
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from common.learning.learners import LEARNERS
from common.learning.vectorizer import fit_vectorizer, vectorize
from common.scoring.export import export, vocabulary
from common.search.winner import (
    classifier_of,
    model_table,
    pipeline_table,
    scoring_pipeline,
    threshold_of,
)

THRESHOLD = 0.237


@pytest.fixture(scope="module", params=["gbt", "logistic_regression"])
def fitted(request, people, spec):
    vectorizer = fit_vectorizer(people, spec, "onehot")
    rows = vectorize(people, vectorizer, spec).cache()
    parameters = {"maxIter": 3, **({"maxBins": 64} if request.param == "gbt" else {})}
    model = LEARNERS[request.param].fitting(spec.task).estimator(parameters, 42).fit(rows)
    return model, rows, scoring_pipeline(vectorizer, model, spec, THRESHOLD)


def test_positive_label_is_predicted_above_the_threshold(fitted, people, spec):
    _, _, pipeline = fitted
    positive = vector_to_array(F.col("probability"))[1]
    found = pipeline.transform(people).select("prediction", positive.alias("p")).toPandas()
    said = np.where(found["p"] > THRESHOLD, spec.positive, spec.labels[0])
    assert (found["prediction"] == said).all()
    assert (found["p"].between(THRESHOLD, 0.5)).any(), "some rows are told apart by the threshold"


def test_scores_of_model_and_pipeline_are_those_at_the_threshold(fitted, spec):
    model, rows, pipeline = fitted
    at_threshold = model_table(model, rows, spec.target, threshold=THRESHOLD)
    of_pipeline = pipeline_table(pipeline, rows, spec.target)
    at_half = model_table(model, rows, spec.target)
    assert at_threshold.count[at_threshold.prediction == 1].sum() == (
        of_pipeline.count[of_pipeline.prediction == 1].sum()
    )
    assert at_threshold.count[at_threshold.prediction == 1].sum() > (
        at_half.count[at_half.prediction == 1].sum()
    )


def test_export_predicts_like_the_pipeline(fitted, people, spec):
    _, _, pipeline = fitted
    _, found = export(pipeline, spec, people)
    assert (found.labels, found.numbers, found.rows) == (0, 0, people.count())


def test_threshold_and_classifier_are_found_in_a_pipeline(fitted, spec):
    model, _, pipeline = fitted
    assert threshold_of(pipeline) == THRESHOLD
    assert vocabulary(pipeline, spec)["threshold"] == THRESHOLD
    assert type(classifier_of(pipeline)) is type(model)


def test_pipeline_at_one_half_has_no_more_stages(fitted, people, spec):
    model, _, pipeline = fitted
    plain = scoring_pipeline(fit_vectorizer(people, spec, "onehot"), model, spec)
    assert len(pipeline.stages) == len(plain.stages) + 2
    assert threshold_of(plain) == 0.5
