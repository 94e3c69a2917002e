from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from common.data.fetch import locate
from common.data.read import read
from common.data.row_hash import frame_digest, row_hash
from common.data.strata_rank import RANK, SIZE, rank_in_strata
from common.data.stratify import SHOWN, SHOWN_SMALL, Split, label_rows, stratify
from common.errors import UserError
from common.search.folds import FOLD_RANK, assign_fold_rank


@pytest.fixture
def pairs(spark):
    """1,000 rows in strata of 2 columns, with nulls and many duplicates."""
    rows = spark.range(1000)
    null = F.lit(None).cast("string")
    return rows.select(
        F.when(F.col("id") % 3 == 0, "a").when(F.col("id") % 3 == 1, null).otherwise("b").alias("s.1"),
        F.when(F.col("id") % 7 == 0, null).otherwise("x").alias("t-2"),
        (F.col("id") % 50).alias("value"),
    )


def counts(frame):
    return {(row[0], row[1]): row[2] for row in frame.groupBy("`s.1`", "t-2").count().collect()}


def test_split_gives_each_stratum_exactly_its_share(pairs):
    parts = stratify(pairs, ["s.1", "t-2"], 0.7, 42)
    sizes, train = counts(pairs), counts(parts.train)
    assert len(sizes) == 6
    assert train == {stratum: n * 7 // 10 for stratum, n in sizes.items()}


def test_split_keeps_every_row_once(pairs):
    parts = stratify(pairs, ["s.1"], 0.7, 42)
    assert frame_digest(parts.train.union(parts.test)) == frame_digest(pairs)


def test_split_does_not_depend_on_partitions_or_order(pairs):
    before = stratify(pairs, ["s.1", "t-2"], 0.5, 42)
    other = pairs.repartition(13).orderBy(F.col("value").desc())
    after = stratify(other, ["s.1", "t-2"], 0.5, 42)
    assert frame_digest(before.train) == frame_digest(after.train)
    assert frame_digest(before.test) == frame_digest(after.test)


def test_seed_moves_rows_but_not_counts(pairs):
    one, two = (stratify(pairs, ["s.1"], 0.5, seed) for seed in (1, 2))
    assert one.summary.equals(two.summary)
    assert frame_digest(one.train) != frame_digest(two.train)


def test_ratio_is_the_decimal_number_that_was_typed(spark):
    # As a float 0.29 * 100 is 28.999999999999996.
    assert stratify(spark.range(100).withColumn("s", F.lit(1)), ["s"], 0.29, 1).train.count() == 29


def test_equal_rows_are_divided_exactly(spark):
    same = spark.range(25_001).select(F.lit("s").alias("s"), F.lit(1).alias("x"))
    parts = stratify(same, ["s"], 0.5, 1)
    assert (parts.train.count(), parts.test.count()) == (12_500, 12_501)


def test_summary_counts_what_is_there_and_names_what_is_one_sided(pairs, spark):
    lonely = spark.createDataFrame([("alone", "x", 1)], pairs.schema)
    parts = stratify(pairs.union(lonely), ["s.1"], 0.7, 42)
    table = parts.summary.set_index("strata")
    assert list(parts.summary.columns) == ["strata", "train_count", "test_count", "test_%"]
    assert list(table.loc["a"]) == [233, 101, 30.24]
    assert "null" in table.index
    assert parts.one_sided == ["alone"]


def test_rank_numbers_each_stratum_without_gaps(pairs):
    ranked = rank_in_strata(pairs, ["s.1"], 1)
    found = ranked.groupBy("`s.1`").agg(
        F.count("*"), F.count_distinct(RANK), F.min(RANK), F.max(RANK), F.max(SIZE)
    )
    for _, rows, distinct, lowest, highest, size in found.collect():
        assert (distinct, lowest, highest, size) == (rows, 0, rows - 1, rows)


def test_rank_is_the_place_in_the_order_of_the_hash(pairs):
    """By the upper bits of the hash (unsigned), then by the signed hash."""
    unequal = pairs.withColumn("id", F.monotonically_increasing_id())
    hashed = unequal.withColumn("hash", row_hash(unequal.columns, 7))
    found = rank_in_strata(hashed.drop("hash"), ["s.1", "t-2"], 7)
    assert found.columns == [*unequal.columns, SIZE, RANK]
    keys = ["s.1", "t-2"]
    rows = hashed.toPandas().fillna("null")
    rows["upper"] = [(value % 2**64) >> 52 for value in rows["hash"]]
    expected = {
        key: part.sort_values(["upper", "hash"])["id"].tolist() for key, part in rows.groupby(keys)
    }
    ranked = found.toPandas().fillna("null").sort_values(RANK)
    assert {key: part["id"].tolist() for key, part in ranked.groupby(keys)} == expected
    assert {key: set(part[SIZE]) for key, part in ranked.groupby(keys)} == {
        key: {len(ids)} for key, ids in expected.items()
    }


def test_equal_rows_are_divided_as_all_rows_are(spark):
    """Of few contents each has its share on both sides, and in each fold, whatever its label."""
    rng = np.random.default_rng(1)
    contents = rng.choice(["a", "b", "c", "d"], 4000, p=[0.6, 0.2, 0.15, 0.05])
    labels = (rng.random(4000) < np.where(contents == "a", 0.7, 0.2)).astype(int)
    rows = pd.DataFrame({"content": contents, "label": labels})
    parts = stratify(spark.createDataFrame(rows), ["label"], 0.7, 42)
    keys = ["content", "label"]
    shares = parts.train.toPandas().groupby(keys).size() / rows.groupby(keys).size()
    assert len(shares) == 8
    assert shares.between(0.5, 0.9).all()
    ranked = assign_fold_rank(parts.train, "label", 42).toPandas()
    folds = ranked.groupby([*keys, ranked[FOLD_RANK] % 5]).size().unstack(fill_value=0)
    assert folds.div(folds.sum(axis=1), axis=0).stack().between(0.02, 0.5).all()
    assert folds.loc[("a", 1)].std() > 0


def test_training_rows_are_those_of_the_lowest_ranks(pairs):
    parts = stratify(pairs, ["s.1"], 0.3, 7)
    ranked = rank_in_strata(pairs, ["s.1"], 7).where(F.col(RANK) < F.floor(F.col(SIZE) * 0.3))
    assert frame_digest(parts.train) == frame_digest(ranked.select("`s.1`", "`t-2`", "value"))
    assert parts.train.columns == parts.test.columns == pairs.columns


def test_summary_is_of_each_combination_in_order(spark):
    rows = [("b", 1)] * 10 + [("a", 2)] * 3 + [("a", None)] * 7 + [("a", 1)]
    parts = stratify(spark.createDataFrame(rows, "s string, n int"), ["s", "n"], 0.5, 1)
    assert parts.summary.to_dict("split")["data"] == [
        ["a,1", 0, 1, 100.0],
        ["a,2", 1, 2, 66.67],
        ["a,null", 3, 4, 57.14],
        ["b,1", 5, 5, 50.0],
    ]
    assert parts.one_sided == ["a,1"]
    assert parts.train.groupBy("s", "n").count().count() == 3


def test_no_stratum_is_one_sided_where_both_sides_have_rows(pairs):
    assert stratify(pairs, ["s.1"], 0.5, 1).one_sided == []


@pytest.mark.parametrize("run", [1, 3, 10, 4096])
def test_equal_rows_are_made_again_whatever_the_length_of_a_run(spark, monkeypatch, run):
    monkeypatch.setattr("common.data.row_hash.RUN", run)
    rows = spark.createDataFrame([("s", 1)] * 10 + [("s", 2)] * 7 + [("t", 1)], "s string, x int")
    found = rank_in_strata(rows, ["s"], 1).toPandas().sort_values(RANK)
    ranks = {key: part[RANK].tolist() for key, part in found.groupby("s")}
    assert ranks == {"s": list(range(17)), "t": [0]}
    assert sorted(map(tuple, found[["s", "x"]].to_numpy().tolist())) == sorted(map(tuple, rows.collect()))


def test_stratum_in_many_buckets_is_numbered_through(spark):
    one = spark.range(9000).select(F.lit("s").alias("s"), F.col("id"))
    found = rank_in_strata(one, ["s"], 1).toPandas()
    assert sorted(found[RANK]) == list(range(9000))
    assert sorted(found["id"]) == list(range(9000))
    assert set(found[SIZE]) == {9000}


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        (["nope"], "strata names 'nope', which is not one of s.1, t-2, value"),
        (["value", "s.1", "value"], "strata names 'value' twice"),
        ([], "strata must name at least one column of s.1, t-2, value"),
    ],
)
def test_strata_are_refused_in_one_line(pairs, strata, message):
    with pytest.raises(UserError) as raised:
        rank_in_strata(pairs, strata, 1)
    assert str(raised.value) == message


@pytest.mark.parametrize("ratio", [0, 1, 1.5, -0.1])
def test_ratio_must_lie_within_its_bounds(pairs, ratio):
    with pytest.raises(UserError) as raised:
        stratify(pairs, ["s.1"], ratio, 42)
    assert str(raised.value) == f"train_ratio must lie in (0, 1), got {ratio}"


@pytest.mark.parametrize(
    ("strata", "ratio", "message"),
    [
        (["nope"], 0.7, "strata names 'nope', which is not one of"),
        (["value", "value"], 0.7, "strata names 'value' twice"),
        ([], 0.7, "strata must name at least one column"),
        (["value"], 1.5, r"train_ratio must lie in \(0, 1\), got 1.5"),
        (["value"], 0.0, r"train_ratio must lie in \(0, 1\), got 0.0"),
    ],
)
def test_bad_parameters_are_refused_by_name(pairs, strata, ratio, message):
    with pytest.raises(UserError, match=message):
        stratify(pairs, strata, ratio, 42)


def test_real_file_splits_as_documented(spark, spec, real_file):
    frame = read(spark, spec, locate(spec, str(real_file)))
    table = stratify(frame, ["income", "sex"], 0.7, 42).summary.set_index("strata")
    assert table[["train_count", "test_count"]].T.to_dict("list") == {
        ">50K,Female": [825, 354],
        "<=50K,Male": [10589, 4539],
        "<=50K,Female": [6714, 2878],
        ">50K,Male": [4663, 1999],
    }


def test_rows_of_a_side_are_counted_by_label(people, spec):
    rows, labels = label_rows(people.where("income = '<=50K'").limit(7), spec)
    assert rows == 7
    assert labels == {"<=50K": 7, ">50K": 0}
    numbers = replace(spec, task="regression", labels=(), positive="", label="age")
    assert label_rows(people.limit(9), numbers) == (9, {})


def test_many_strata_are_not_all_printed_and_a_side_without_rows_is_refused(spark):
    rows = spark.range(100).select("id", F.col("id").alias("each"), (F.col("id") % 2).alias("half"))
    alone = stratify(rows, ["each"], 0.7, 0)
    assert alone.told.splitlines()[-1] == "... and 70 more strata"
    assert alone.warnings[0] == "stratum 0 is too small to have rows on both sides"
    assert alone.warnings[5:] == ["so are 95 more strata"]
    with pytest.raises(UserError, match="no row is left to train: each of the 100 strata is too small"):
        alone.check()
    whole = stratify(rows, ["half"], 0.7, 0)
    whole.check()
    assert (len(whole.told.splitlines()), whole.warnings) == (3, [])


def test_one_stratum_more_is_told_as_one():
    strata = [f"s{number}" for number in range(SHOWN + 1)]
    counts = {"train_count": [int(place > SHOWN_SMALL) for place in range(SHOWN + 1)], "test_count": 1}
    few = Split(None, None, pd.DataFrame({"strata": strata, **counts, "test_%": 50.0}))
    assert few.told.splitlines()[-1] == "... and 1 more stratum"
    assert few.warnings[-1] == "so is 1 more stratum"
