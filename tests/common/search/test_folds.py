import pytest
from pyspark.sql import functions as F

from common.errors import UserError
from common.search.folds import FOLD, assign_fold_rank, fold_data


def test_folds_are_stratified_by_label_to_within_one_row(people):
    ranked = assign_fold_rank(people, "income", 42)
    for folds in (3, 5):
        fold = (F.col("fold_rank") % folds).alias("fold")
        counts = ranked.groupBy("income", fold).count().groupBy("income")
        for row in counts.agg(F.min("count"), F.max("count"), F.count("*").alias("folds")).collect():
            assert row["max(count)"] - row["min(count)"] <= 1
            assert row["folds"] == folds


def test_fold_of_a_row_does_not_depend_on_partitions(people):
    one = assign_fold_rank(people, "income", 42).orderBy(*people.columns, "fold_rank").collect()
    two = assign_fold_rank(people.repartition(5), "income", 42).orderBy(*people.columns, "fold_rank")
    assert one == two.collect()


def test_every_row_is_validated_once(vectors):
    data = fold_data(vectors, 3)
    assert data.rows == vectors.count() == sum(data.validation(fold).count() for fold in range(3))
    for fold in range(3):
        assert data.train(fold).count() + data.validation(fold).count() == data.rows


def test_order_of_rows_does_not_depend_on_partitions(vectors):
    one, two = fold_data(vectors, 3).frame, fold_data(vectors.repartition(4), 3).frame
    assert one.columns == ["features", "label", FOLD]
    assert one.collect() == two.collect()
    assert one.rdd.getNumPartitions() == 1


@pytest.mark.parametrize("folds", [1, 1000])
def test_number_of_folds_out_of_range_is_refused(vectors, folds):
    with pytest.raises(UserError, match=f"folds must lie between 2 and .*; got {folds}"):
        fold_data(vectors, folds)


def test_one_label_alone_is_refused(vectors):
    with pytest.raises(UserError, match="one label only"):
        fold_data(vectors.where("label = 0"), 3)
