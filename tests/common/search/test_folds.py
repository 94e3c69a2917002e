import numpy as np
import pytest
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F

from common.data.target import BINARY, REGRESSION, TWO, Target
from common.errors import UserError
from common.learning.tasks import Labels, guess_scores
from common.learning.vectorizer import FEATURES, LABEL
from common.search import folds
from common.search.folds import FOLD, FOLD_RANK, assign_fold_rank, fold_data


def test_folds_are_stratified_by_label_to_within_one_row(people):
    ranked = assign_fold_rank(people, "income", 42)
    for number in (3, 5):
        fold = (F.col(FOLD_RANK) % number).alias(FOLD)
        counts = ranked.groupBy("income", fold).count().groupBy("income")
        for row in counts.agg(F.min("count"), F.max("count"), F.count("*").alias("folds")).collect():
            assert row["max(count)"] - row["min(count)"] <= 1
            assert row["folds"] == number


def test_fold_of_a_row_does_not_depend_on_partitions(people):
    one = assign_fold_rank(people, "income", 42).orderBy(*people.columns, FOLD_RANK).collect()
    two = assign_fold_rank(people.repartition(5), "income", 42).orderBy(*people.columns, FOLD_RANK)
    assert one == two.collect()


def test_every_row_is_validated_once(vectors):
    data = fold_data(vectors, 3, TWO)
    assert data.rows == vectors.count() == sum(data.validation(fold).count() for fold in range(3))
    for fold in range(3):
        assert data.train(fold).count() + data.validation(fold).count() == data.rows


def test_fold_is_the_rank_within_the_label_by_the_number_of_folds(vectors):
    data = fold_data(vectors.withColumn("rank", F.col(FOLD_RANK)), 3, TWO, keep=["rank"])
    rows = data.frame.select("rank", FOLD).collect()
    assert len(rows) == 300
    assert all(row[FOLD] == row["rank"] % 3 for row in rows)
    for fold in range(3):
        assert {row[FOLD] for row in data.validation(fold).collect()} == {fold}
        assert {row[FOLD] for row in data.train(fold).collect()} == {0, 1, 2} - {fold}


def test_rank_numbers_the_rows_of_each_label_from_0_and_keeps_all_columns(people):
    ranked = assign_fold_rank(people, "income", 42)
    assert ranked.columns == [*people.columns, FOLD_RANK]
    found = ranked.toPandas().groupby("income")[FOLD_RANK]
    assert {name: sorted(ranks) for name, ranks in found} == {
        name: list(range(count)) for name, count in found.count().items()
    }


def test_seed_changes_which_rows_share_a_fold(people):
    def first(seed):
        ranked = assign_fold_rank(people, "income", seed)
        return sorted(map(str, ranked.where(f"{FOLD_RANK} < 100").drop(FOLD_RANK).collect()))

    assert first(42) == first(42) != first(43)


def test_guessing_knows_the_rows_of_each_label(vectors):
    negative = vectors.where(f"{LABEL} = 0").count()
    data = fold_data(vectors, 2, TWO)
    assert (data.rows, data.target) == (300, TWO)
    assert data.guess == guess_scores(Labels(BINARY, np.arange(2), np.array([negative, 300 - negative])))
    assert 0 < negative != 150


def test_guessing_a_number_is_the_mean_of_what_it_scores_in_each_fold(spark):
    """As a candidate's score is: with one row of 1,000 the error over all rows together is another."""
    numbers = np.array([1000.0, *np.linspace(0, 5, 19)])
    rows = [(Vectors.dense(1.0), float(value), rank) for rank, value in enumerate(numbers)]
    data = fold_data(spark.createDataFrame(rows, [FEATURES, LABEL, FOLD_RANK]), 4, Target(REGRESSION))
    fold = np.arange(20) % 4
    each = [numbers[fold == k] - numbers[fold != k].mean() for k in range(4)]
    assert data.guess["rmse"] == pytest.approx(np.mean([np.sqrt(np.mean(one**2)) for one in each]))
    assert data.guess["mae"] == pytest.approx(np.mean([np.abs(one).mean() for one in each]))
    assert data.guess["rmse"] < 0.8 * numbers.std()


def test_as_many_folds_as_the_rarer_label_has_rows_are_taken(vectors):
    few = vectors.where(f"{LABEL} = 1 or {FOLD_RANK} < 30")
    rarer = min(row["count"] for row in few.groupBy(LABEL).count().collect())
    assert fold_data(few, rarer, TWO).folds == rarer
    with pytest.raises(UserError) as raised:
        fold_data(few, rarer + 1, TWO)
    assert str(raised.value) == (
        f"folds must lie between 2 and {rarer}, the number of training rows with the rarer label; "
        f"got {rarer + 1}"
    )


def test_more_rows_are_in_more_partitions_each_in_order(vectors, monkeypatch):
    monkeypatch.setattr(folds, "PARTITION_ROWS", 100)
    frame = fold_data(vectors.withColumn("rank", F.col(FOLD_RANK)), 3, TWO, keep=["rank"]).frame
    assert frame.is_cached
    parts = frame.select(LABEL, "rank").rdd.glom().collect()
    assert len(parts) == 3
    assert all(part == sorted(part) for part in parts)
    # The number depends on the rows, not on their two labels.
    assert min(map(len, parts)) > 50
    monkeypatch.setattr(folds, "PARTITION_ROWS", 299)
    assert fold_data(vectors, 3, TWO).frame.rdd.getNumPartitions() == 2
    monkeypatch.setattr(folds, "PARTITION_ROWS", 300)
    assert fold_data(vectors, 3, TWO).frame.rdd.getNumPartitions() == 1


def test_rows_and_stored_values_of_each_partition_are_counted(vectors, monkeypatch):
    assert folds.PARTITION_ROWS == 250_000
    monkeypatch.setattr(folds, "PARTITION_ROWS", 100)
    data = fold_data(vectors, 3, TWO)
    sizes = data.frame.rdd.glom().map(len).collect()
    # Dense vectors of length three: all values are stored.
    assert data.partitions == {part: (rows, 3 * rows) for part, rows in enumerate(sizes)}
    assert sum(sizes) == 300


def test_columns_that_are_to_be_kept_are_kept_beside(vectors):
    named = vectors.withColumn("a-b", F.col(FOLD_RANK) * 2)
    found = fold_data(named, 3, TWO, keep=["a-b"]).frame
    assert found.columns == [FEATURES, LABEL, FOLD, "a-b"]


def test_rows_that_featurize_did_not_leave_are_refused(vectors):
    with pytest.raises(UserError) as raised:
        fold_data(vectors.drop(FOLD_RANK), 3, TWO)
    assert str(raised.value) == "the training rows have no folds: they must come from featurize"


def test_order_of_rows_does_not_depend_on_partitions(vectors):
    one, two = fold_data(vectors, 3, TWO).frame, fold_data(vectors.repartition(4), 3, TWO).frame
    assert one.columns == [FEATURES, LABEL, FOLD]
    assert one.collect() == two.collect()
    assert one.rdd.getNumPartitions() == 1


@pytest.mark.parametrize("number", [1, 1000])
def test_number_of_folds_out_of_range_is_refused(vectors, number):
    with pytest.raises(UserError, match=f"folds must lie between 2 and .*; got {number}"):
        fold_data(vectors, number, TWO)


def test_one_label_alone_is_refused(vectors):
    with pytest.raises(UserError, match="only one label"):
        fold_data(vectors.where(f"{LABEL} = 0"), 3, TWO)
