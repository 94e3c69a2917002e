"""Two pipelines fitted on overlapping halves of 2,000 rows, compared on what neither has seen."""

import pytest
from pyspark.ml.functions import array_to_vector
from pyspark.sql import functions as F

from common.champion import unseen
from common.champion.unseen import Trained, compare_on_unseen, unseen_rows
from common.champion.verdict import Incomparable
from common.data.target import BINARY, MULTICLASS, REGRESSION, Target
from common.learning.learners import LEARNERS
from common.learning.metrics import scores
from common.learning.score_table import score_table
from common.learning.vectorizer import LABEL, fit_vectorizer, vectorize
from common.search.winner import PREDICTION_INDEX, scoring_pipeline


@pytest.fixture(scope="module")
def numbered(people, spec):
    """Distinct rows, in four parts of 500."""
    rows = people.toPandas()
    rows["fnlwgt"] = range(len(rows))
    return people.sparkSession.createDataFrame(rows, schema=spec.schema).cache()


@pytest.fixture(scope="module")
def train(numbered, spec):
    """Fit a model on some parts; the other parts are its test rows."""

    def fit(trained, tested, depth=3):
        part = (F.col("fnlwgt") / 500).cast("int")
        sides = numbered.where(part.isin(trained)), numbered.where(part.isin(tested))
        vectorizer = fit_vectorizer(sides[0], spec, "onehot")
        train, test = (vectorize(side, vectorizer, spec) for side in sides)
        estimator = (
            LEARNERS["random_forest"].fitting(BINARY).estimator({"numTrees": 3, "maxDepth": depth}, 42)
        )
        return Trained(scoring_pipeline(vectorizer, estimator.fit(train), spec), train, test)

    return fit


@pytest.fixture(scope="module")
def pair(train):
    """Trained on parts 0 and 1 against 1 and 2: neither has seen part 3."""
    return train([0, 1], [2, 3]), train([1, 2], [0, 3], depth=1)


def numbers(frame):
    return sorted(row["fnlwgt"] for row in frame.select("fnlwgt").collect())


def test_rows_of_either_ones_training_are_left_out_and_the_others_are_there_once(pair, spec):
    assert numbers(unseen_rows(*pair, spec.names)) == list(range(1500, 2000))


def test_test_rows_of_one_alone_are_taken_where_the_other_was_not_trained_on_them(train, spec):
    ours, theirs = train([0], [1]), train([0], [2])
    assert numbers(unseen_rows(ours, theirs, spec.names)) == list(range(500, 1500))


def test_row_of_the_same_content_is_seen_wherever_it_lies(pair, spec):
    ours, theirs = pair
    twin = ours.test.where("fnlwgt = 1600").withColumn(LABEL, F.col(LABEL))
    ours = Trained(ours.pipeline, ours.train.unionByName(twin), ours.test)
    assert 1600 not in numbers(unseen_rows(ours, theirs, spec.names))


def test_column_that_no_model_sees_makes_no_row_another(pair, spec):
    """An export's date, say, is another in each export."""
    ours, theirs = pair
    dated = [
        Trained(
            one.pipeline, one.train.withColumn("day", F.lit(day)), one.test.withColumn("day", F.lit(day))
        )
        for day, one in enumerate((ours, theirs))
    ]
    assert numbers(unseen_rows(*dated, spec.names)) == list(range(1500, 2000))


def test_rows_that_one_of_the_models_would_refuse_are_left_out(pair, spec):
    ours, theirs = pair
    lost = F.when(F.col("fnlwgt") % 2 == 0, F.col("age"))
    ours = Trained(ours.pipeline, ours.train, ours.test.withColumn("age", lost))
    theirs = Trained(theirs.pipeline, theirs.train, theirs.test.where("fnlwgt < 0"), ("age", "fnlwgt"))
    assert numbers(unseen_rows(ours, theirs, spec.names)) == list(range(1500, 2000, 2))
    found = compare_on_unseen(ours, theirs, spec.names, spec.label, spec.target, "roc_auc")
    assert found.where == "on 250 rows that neither was trained on, in 5 parts"


def test_comparison_is_of_scores_on_unseen_rows_alone(pair, spec, numbered):
    found = compare_on_unseen(*pair, spec.names, spec.label, spec.target, "roc_auc")
    assert found.where == "on 500 rows that neither was trained on, in 5 parts"
    rows = numbered.where("fnlwgt >= 1500")
    for pipeline, mean in zip((one.pipeline for one in pair), (found.ours, found.theirs), strict=True):
        said = pipeline.transform(rows).withColumn(LABEL, (F.col("income") == ">50K").cast("double"))
        said = said.drop("prediction").withColumnRenamed("prediction_index", "prediction")
        # The mean over parts is close to the value over all rows.
        assert scores(score_table(said, spec.target))["roc_auc"] == pytest.approx(mean, abs=0.03)
    assert found.difference.mean == pytest.approx(found.ours - found.theirs)
    assert found.difference.error > 0


def test_order_of_the_two_turns_the_difference_alone(pair, spec):
    there = compare_on_unseen(*pair, spec.names, spec.label, spec.target, "log_loss")
    back = compare_on_unseen(*reversed(pair), spec.names, spec.label, spec.target, "log_loss")
    assert there.difference.mean == pytest.approx(-back.difference.mean, abs=1e-12)
    assert there.difference.error == pytest.approx(back.difference.error, abs=1e-12)


@pytest.mark.parametrize(
    ("least", "kept", "message"),
    [
        (501, "true", "there are 500 rows that neither was trained on"),
        (1, "income = '<=50K'", "0 with the rarer label"),
    ],
)
def test_too_few_rows_or_one_label_is_no_comparison(pair, spec, monkeypatch, least, kept, message):
    monkeypatch.setattr(unseen, "LEAST_ROWS", least)
    ours, theirs = (Trained(one.pipeline, one.train, one.test.where(kept)) for one in pair)
    with pytest.raises(Incomparable, match=message):
        compare_on_unseen(ours, theirs, spec.names, spec.label, spec.target, "roc_auc")


def test_no_unseen_rows_at_all_is_no_comparison(train, spec):
    ours, theirs = train([0, 1], [2]), train([2], [0, 1])
    with pytest.raises(Incomparable, match="there are 0 rows that neither was trained on"):
        compare_on_unseen(ours, theirs, spec.names, spec.label, spec.target, "roc_auc")


class Said:
    """Stands in for a scoring pipeline: adds columns by expressions."""

    def __init__(self, **columns):
        self.columns = columns

    def transform(self, frame):
        return frame.withColumns(self.columns)


def told(spark, rows, schema, *pipelines):
    """Two models of the same test rows, which were trained on none."""
    frame = spark.createDataFrame(rows, schema)
    return [Trained(pipeline, frame.limit(0), frame) for pipeline in pipelines]


def test_models_of_a_number_are_compared_on_all_rows_in_parts(spark):
    rows = [(float(n), float(n), n % 7) for n in range(300)]
    right, wrong = (
        Said(prediction=F.col("price") + off * F.when(F.col("n") > 3, 1).otherwise(-1)) for off in (1, 3)
    )
    ours, theirs = told(spark, rows, f"price double, {LABEL} double, n int", right, wrong)
    target = Target(REGRESSION)
    found = compare_on_unseen(ours, theirs, ["price", "n"], "price", target, "rmse")
    assert (found.ours, found.theirs) == (pytest.approx(1), pytest.approx(3))
    assert found.difference.mean == pytest.approx(2)
    assert found.better
    assert not compare_on_unseen(theirs, ours, ["price", "n"], "price", target, "rmse").better
    few = [Trained(one.pipeline, one.train, one.test.where("n = 1")) for one in (ours, theirs)]
    with pytest.raises(Incomparable, match="trained on, nor on an equal one: at least 200 are required$"):
        compare_on_unseen(*few, ["price", "n"], "price", target, "rmse")


def of_kinds(spark, counts):
    """Two models of three labels, of which the first is right and the second says `a` always."""
    rows = [(kind, float(place), n) for place, kind in enumerate("abc") for n in range(counts[place])]
    index = F.col(LABEL)
    sure = F.transform(F.sequence(F.lit(0), F.lit(2)), lambda n: F.when(n == index, 0.8).otherwise(0.1))
    vague = F.array(*[F.lit(p) for p in (0.5, 0.3, 0.2)])
    pipelines = [
        Said(**{PREDICTION_INDEX: said, "probability": array_to_vector(probability)})
        for said, probability in ((index, sure), (F.lit(0.0), vague))
    ]
    return told(spark, rows, f"kind string, {LABEL} double, n int", *pipelines)


def test_rare_label_of_several_does_not_stop_a_comparison(spark):
    pair = of_kinds(spark, (200, 100, 2))
    target = Target(MULTICLASS, ("a", "b", "c"))
    for metric, theirs in (("accuracy", 200 / 302), ("roc_auc", 0.5)):
        found = compare_on_unseen(*pair, ["kind", "n"], "kind", target, metric)
        assert found.ours == pytest.approx(1)
        assert found.theirs == pytest.approx(theirs, abs=0.002)


def test_one_label_of_several_alone_is_no_comparison(spark):
    pair = of_kinds(spark, (300, 4, 0))
    with pytest.raises(
        Incomparable, match="304 rows .* 4 with the second most frequent label: .* of two labels"
    ):
        compare_on_unseen(*pair, ["kind", "n"], "kind", Target(MULTICLASS, ("a", "b", "c")), "accuracy")
