"""Folds of several labels and of numbers, and the rows that are refused."""

import pytest
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import functions as F
from pyspark.sql import types as T

from common.data.quantiles import QUANTILE, with_quantile
from common.data.target import MULTICLASS, REGRESSION, TWO, Target
from common.errors import UserError
from common.learning.vectorizer import FEATURES, LABEL
from common.search.folds import FOLD_RANK, assign_fold_rank, fold_data

THREE, NUMBER = Target(MULTICLASS, ("low", "it's", "high")), Target(REGRESSION)


@pytest.fixture(scope="module")
def houses(spark):
    """503 rows with a price; a tenth of the prices are alike."""
    price = F.when(F.col("id") % 10 == 0, 2e5).otherwise(3e5 + (F.hash("id") % 1000) * 100.0)
    return spark.range(503).select("id", price.alias("price in €")).cache()


def test_folds_of_numbers_are_stratified_by_quantile_to_within_a_row(houses):
    ranked = with_quantile(
        assign_fold_rank(houses, "price in €", 42, REGRESSION), "price in €"
    ).toPandas()
    assert ranked[QUANTILE].nunique() >= 9
    for folds in (2, 3, 5, 7, 10):
        counts = ranked.groupby([QUANTILE, ranked[FOLD_RANK] % folds]).size().unstack(fill_value=0)
        assert counts.shape[1] == folds
        assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1


def test_rank_of_numbers_keeps_all_rows_and_columns_whatever_the_partitions(houses):
    one = assign_fold_rank(houses, "price in €", 42, REGRESSION)
    two = assign_fold_rank(houses.repartition(5), "price in €", 42, REGRESSION)
    assert one.columns == ["id", "price in €", FOLD_RANK]
    assert one.orderBy("id").collect() == two.orderBy("id").collect()
    assert one.drop(FOLD_RANK).orderBy("id").collect() == houses.orderBy("id").collect()


def test_names_of_columns_do_not_meet_those_of_the_ranking(spark):
    frame = spark.range(40).select(
        F.col("id").alias("a.b"),
        *[F.lit("x").alias(name) for name in ("fold", "stratum_rank", "stratum_size")],
        (F.col("id") % 2).cast("string").alias("la`bel"),
    )
    ranked = assign_fold_rank(frame, "la`bel", 1)
    assert ranked.columns == [*frame.columns, FOLD_RANK]
    assert sorted(row[FOLD_RANK] for row in ranked.where("`la``bel` = '1'").collect()) == list(range(20))


def rows_of(spark, labels):
    schema = T.StructType([T.StructField(FEATURES, VectorUDT())])
    schema = schema.add(LABEL, "double").add(FOLD_RANK, "long")
    rows = [(Vectors.dense(1.0, place), float(label), place) for place, label in enumerate(labels)]
    return spark.createDataFrame(rows, schema)


@pytest.mark.parametrize(
    ("labels", "target", "folds", "message"),
    [
        (
            [0, 0, 1, 2, 2],
            THREE,
            2,
            'label "it\'s" has 1 training row, and each needs at least 2: leave its rows out of the '
            "source, merge it with another label, or give other strata or another train_ratio",
        ),
        (
            [0, 0, 1, 1],
            THREE,
            2,
            "label 'high' has 0 training rows, and each needs at least 2: leave its rows out of the "
            "source, merge it with another label, or give other strata or another train_ratio",
        ),
        ([2, 2, 2], THREE, 2, "the training rows have only one label: nothing can be learnt from them"),
        ([0, 0, 0, 1], TWO, 2, "label '1' has 1 training row"),
        (
            [0, 0, 1, 1, 2, 2],
            THREE,
            7,
            "folds must lie between 2 and 6, the number of training rows; got 7",
        ),
        (
            [0, 0, 1, 1, 2, 2],
            THREE,
            1,
            "folds must lie between 2 and 6, the number of training rows; got 1",
        ),
        (
            [0, 0, 0, 1, 1],
            TWO,
            3,
            "folds must lie between 2 and 2, the number of training rows with the rarer label",
        ),
        (
            [7.5] * 6,
            NUMBER,
            2,
            "the training rows have only one label, 7.5: nothing can be learnt from them",
        ),
        ([1, 2, 3, 4, 5], NUMBER, 3, "folds must lie between 2 and 2, half of the training rows; got 3"),
        ([1, 2, 3, 4, 5], NUMBER, 1, "folds must lie between 2 and 2, half of the training rows; got 1"),
    ],
)
def test_rows_that_cannot_be_learnt_or_scored_are_refused(spark, labels, target, folds, message):
    with pytest.raises(UserError) as raised:
        fold_data(rows_of(spark, labels), folds, target)
    assert str(raised.value).startswith(message)


def test_label_with_two_rows_is_learnt_in_each_fold(spark):
    data = fold_data(rows_of(spark, [0, 0, 0, 1, 1, 2, 2]), 2, THREE)
    assert (data.rows, data.target) == (7, THREE)


def test_folds_of_few_numbers_have_two_rows_each(spark):
    data = fold_data(rows_of(spark, [1, 2, 3, 4]), 2, NUMBER)
    assert [data.validation(fold).count() for fold in range(2)] == [2, 2]
    one, other = (data.validation(fold).toPandas()[LABEL] for fold in range(2))
    errors = [
        ((mine - theirs.mean()) ** 2).mean() ** 0.5 for mine, theirs in ((one, other), (other, one))
    ]
    assert data.guess["rmse"] == pytest.approx(sum(errors) / 2)
