"""The graph compared with its pipeline, and at the edges of each threshold."""

import numpy as np
import pandas as pd
import pytest
from onnxruntime import InferenceSession
from pyspark.ml import PipelineModel
from pyspark.ml.feature import MinMaxScalerModel, Normalizer
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from common.data.reading import read_rows
from common.data.target import BINARY
from common.learning.learners import LEARNERS
from common.learning.vectorizer import LABEL, fit_vectorizer, vectorize
from common.scoring.graph import Graph, sums_of
from common.scoring.serving import Scorer
from common.scoring.stages import pipeline_model
from common.scoring.trees import AT_MOST, Forest, gbt_forest
from common.search.winner import scoring_pipeline


def spark_scores(pipeline, frame):
    positive = vector_to_array("probability")[1].alias("probability")
    return pipeline.transform(frame).select("prediction", positive).toPandas()


def portable_scores(pipeline, spec, rows):
    scorer = Scorer(pipeline_model(pipeline, spec).SerializeToString())
    read = read_rows(rows, spec.input_form)
    assert read.good.all(), read.reasons
    return pd.DataFrame(scorer.score(read.values))


@pytest.fixture(scope="module")
def strange(people):
    """Rows unlike any training row: unseen categories, nulls for text, numbers out of range."""
    row = people.limit(20)
    frames = [
        row.withColumn("workclass", F.lit("Astronaut")).withColumn(
            "education-num", F.lit(99).cast("long")
        ),
        row.withColumn("native-country", F.lit(None).cast("string")).withColumn("sex", F.lit("ü 性")),
        row.withColumn("age", F.lit(-5).cast("long")).withColumn("fnlwgt", F.lit(10**15)),
        row.withColumn("capital-gain", F.lit(2**62)).withColumn(
            "hours-per-week", F.lit(1000).cast("long")
        ),
    ]
    frame = people
    for other in frames:
        frame = frame.union(other)
    return frame.coalesce(1).cache()


# test_every_type has all learners with either encoding.
CASES = [(learner, "onehot") for learner in LEARNERS if BINARY in LEARNERS[learner].fittings]


@pytest.mark.slow
@pytest.mark.parametrize(("learner", "encoding"), [*CASES, ("gbt", "index")])
def test_every_row_has_the_label_and_the_probability_that_spark_gives(
    fit_pipeline, spec, strange, learner, encoding
):
    pipeline = fit_pipeline(learner, encoding)
    ours = portable_scores(pipeline, spec, strange.toPandas())
    theirs = spark_scores(pipeline, strange)
    assert ours["prediction"].tolist() == theirs["prediction"].tolist()
    # A booster computes in single precision, and its exponential is not exact to the last bit.
    precision = 1e-7 if learner == "xgboost" else 1e-14
    assert np.abs(ours["probability"] - theirs["probability"]).max() < precision


def test_number_at_a_threshold_falls_on_sparks_side(fit_pipeline, spec, spark, people):
    """The integers next to each threshold of fnlwgt, where single precision would not suffice."""
    pipeline = fit_pipeline("gbt", "onehot")
    forest = gbt_forest(pipeline.stages[-2])
    scaler = next(stage for stage in pipeline.stages if isinstance(stage, MinMaxScalerModel))
    place = spec.names_of("numeric").index("fnlwgt")
    least, most = scaler.originalMin[place], scaler.originalMax[place]
    scaled = {t for f, t in zip(forest.feature, forest.threshold, strict=True) if f == place}
    assert scaled
    people = people.limit(60).toPandas()
    near = [round(least + t * (most - least)) + step for t in scaled for step in range(-3, 4)]
    rows = pd.concat([people.assign(fnlwgt=number) for number in near], ignore_index=True)
    theirs = spark_scores(pipeline, spark.createDataFrame(rows, schema=spec.schema))
    by_number = theirs["probability"].to_numpy().reshape(len(near), -1)
    assert len(np.unique(by_number, axis=0)) > 1
    ours = portable_scores(pipeline, spec, rows)
    assert np.abs(ours["probability"] - theirs["probability"]).max() < 1e-14


def test_value_exactly_at_a_threshold_goes_left_and_the_next_double_right():
    forest = Forest(AT_MOST, np.float64)
    node = forest.add_node(0, 0.1)
    forest.left[node], forest.right[node] = forest.add_leaf(1.0), forest.add_leaf(2.0)
    forest.add_tree(node)
    graph = Graph()
    sums = sums_of(graph, graph.input("x", np.float64), forest)
    graph.output("sum", np.float64, graph.node("Reshape", sums, graph.constant(np.array([-1]))))
    session = InferenceSession(graph.model().SerializeToString())
    x = np.array([[np.nextafter(0.1, 0)], [0.1], [np.nextafter(0.1, 1)]])
    assert session.run(None, {"column x": x})[0].tolist() == [1.0, 1.0, 2.0]


def test_tree_that_is_one_leaf_and_a_column_of_one_value_are_scored(people, spec):
    frame = people.withColumn("age", F.lit(30).cast("long"))
    vectorizer = fit_vectorizer(frame, spec, "index")
    model = (
        LEARNERS["gbt"]
        .fitting(BINARY)
        .estimator({"maxDepth": 0, "maxIter": 1}, 1)
        .fit(vectorize(frame, vectorizer, spec))
    )
    pipeline = scoring_pipeline(vectorizer, model, spec)
    theirs = spark_scores(pipeline, people.limit(10))
    ours = portable_scores(pipeline, spec, people.limit(10).toPandas())
    assert ours["prediction"].tolist() == theirs["prediction"].tolist()
    assert np.allclose(ours["probability"], theirs["probability"], atol=1e-14)


def test_split_by_categories_is_refused(people, spec):
    vectorizer = fit_vectorizer(people, spec, "index")
    rows = vectorizer.transform(people).withColumn(LABEL, (F.col("income") == ">50K").cast("double"))
    model = LEARNERS["gbt"].fitting(BINARY).estimator({"maxIter": 2, "maxBins": 64}, 1).fit(rows)
    with pytest.raises(ValueError, match="splits feature .* by categories"):
        pipeline_model(scoring_pipeline(vectorizer, model, spec), spec)


def test_stage_that_is_not_known_is_refused(fit_pipeline, spec):
    stages = [Normalizer(), *fit_pipeline("gbt", "onehot").stages]
    with pytest.raises(ValueError, match="stage Normalizer cannot be written as ONNX"):
        pipeline_model(PipelineModel(stages), spec)
