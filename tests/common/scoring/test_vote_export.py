"""A vote as a Spark pipeline, and its export."""

import numpy as np
import onnx
import pytest
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from common.ensemble.pipeline import vote_pipeline
from common.learning.metrics import scores
from common.learning.vectorizer import FEATURES, LABEL
from common.scoring import stages
from common.scoring.export import ExportError, export, vocabulary
from common.search.winner import pipeline_table

LEARNERS = ("gbt", "xgboost", "logistic_regression")
WEIGHTS = (0.2, 0.5, 0.3)


def positive(pipeline, rows):
    scored = pipeline.transform(rows).select(vector_to_array("probability")[1].alias("p"), "prediction")
    return scored.toPandas()


@pytest.fixture(scope="module")
def pipelines(fit_pipeline):
    return [fit_pipeline(learner, "onehot") for learner in LEARNERS]


def test_vote_is_the_weighted_mean_of_its_members(pipelines, people):
    rows = people.limit(300)
    voted = positive(vote_pipeline(pipelines, WEIGHTS), rows)
    each = np.array([positive(pipeline, rows)["p"] for pipeline in pipelines])
    assert np.abs(voted["p"] - np.array(WEIGHTS) @ each).max() < 1e-15
    assert ((voted["prediction"] == ">50K") == (voted["p"] > 0.5)).all()
    assert len(set(voted["prediction"])) == 2


def test_vote_is_exported_and_scores_every_row_as_by_spark(pipelines, people, spec):
    vote = vote_pipeline(pipelines, WEIGHTS)
    model, found = export(vote, spec, people)
    assert (found.rows, found.labels, found.numbers) == (2000, 0, 0)
    assert found.largest < 1e-7
    # The vectoriser occurs once: one label encoder per categorical column.
    names = [node.op_type for node in onnx.load_from_string(model).graph.node]
    assert names.count("LabelEncoder") == len(spec.names_of("category"))
    assert names.count("TreeEnsemble") == 2
    assert vocabulary(vote, spec) == vocabulary(pipelines[0], spec)


def test_planted_fault_in_the_weights_is_found(pipelines, people, spec, monkeypatch):
    def equal(model, stage):
        graph = model.graph
        probabilities = model.values[stage.getFeaturesCol()]
        mean = graph.node("ReduceMean", probabilities, graph.constant(np.array([1])))
        model.values[stage.getPredictionCol()] = mean

    monkeypatch.setitem(stages.STAGES, "LinearRegressionModel", equal)
    with pytest.raises(ExportError, match="differs from the Spark pipeline on 2000 test rows"):
        export(vote_pipeline(pipelines, WEIGHTS), spec, people)


def test_member_without_weight_is_left_out(pipelines, people):
    vote = vote_pipeline(pipelines, (0, 0, 1.0))
    assert len(vote.stages) < len(vote_pipeline(pipelines, WEIGHTS).stages) - 1
    rows = people.limit(50)
    assert positive(vote, rows).equals(positive(pipelines[2], rows))


def test_vote_is_scored_as_any_pipeline(pipelines, people, spec):
    rows = people.withColumn(LABEL, (F.col("income") == spec.positive).cast("double"))
    rows = rows.withColumn(FEATURES, F.lit(0))
    alone = scores(pipeline_table(vote_pipeline(pipelines, (0, 0, 1.0)), rows, spec.target))
    assert alone == pytest.approx(scores(pipeline_table(pipelines[2], rows, spec.target)))
