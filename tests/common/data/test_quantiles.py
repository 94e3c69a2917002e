import math
from itertools import pairwise

import numpy as np
import pytest
from pyspark.sql import functions as F

from common.data import quantiles
from common.data.quantiles import PARTS, QUANTILE, with_quantile


def ranges(spark, values, parts=PARTS):
    """Return each range's numbers, in the order of the ranges' names."""
    frame = spark.createDataFrame([(float(value),) for value in values], "`a.b` double")
    rows = with_quantile(frame, "a.b", parts).toPandas()
    return [group["a.b"].tolist() for _, group in rows.groupby(QUANTILE)]


DRAWN = {
    "normal": np.random.default_rng(1).normal(size=1003),
    "skewed": np.random.default_rng(2).lognormal(10, 2, 1003),
    "negative": -np.random.default_rng(3).exponential(size=1003) * 1e6,
    "extreme": np.array([-1.7e308, -1e300, -1, -5e-324, 0, 5e-324, 1, 1e300, 1.7e308] * 111),
    "few values": np.random.default_rng(4).integers(0, 4, 1003),
    "mostly zero": np.r_[np.zeros(930), np.arange(1, 74)],
    "half zero": np.r_[np.zeros(500), np.arange(1, 504)],
    "mostly the largest": np.r_[np.full(700, 9.0), np.arange(303) / 100],
    "close": 1e9 + np.arange(1003) / 1e6,
}


@pytest.mark.parametrize("kind", DRAWN)
def test_ranges_keep_equal_numbers_together_and_follow_their_order(spark, kind):
    values = DRAWN[kind]
    found = ranges(spark, values)
    assert sorted(value for group in found for value in group) == sorted(map(float, values))
    assert all(max(one) < min(two) for one, two in pairwise(found))
    most = np.unique(values, return_counts=True)[1].max()
    # A range has about a tenth of the rows, unless one number alone has more.
    assert max(map(len, found)) <= len(values) / PARTS + most + 1
    assert len(found) > 1


@pytest.mark.parametrize("kind", ["normal", "skewed", "negative", "close"])
def test_distinct_numbers_are_in_ten_ranges_of_equal_shares(spark, kind):
    sizes = [len(group) for group in ranges(spark, DRAWN[kind])]
    assert len(sizes) == PARTS
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("parts", [1, 2, 3, 12, 100])
def test_there_are_as_many_ranges_as_are_asked_for(spark, parts):
    found = ranges(spark, range(1000), parts)
    assert len(found) == parts
    assert all(math.floor(1000 / parts) <= len(group) <= math.ceil(1000 / parts) for group in found)


def test_constant_is_one_range(spark):
    assert ranges(spark, [7.5] * 20) == [[7.5] * 20]
    assert ranges(spark, [3]) == [[3.0]]


def test_range_of_a_row_does_not_depend_on_partitions(spark, monkeypatch):
    frame = spark.range(5000).select("id", (F.hash("id") % 1000).cast("long").alias("n"))
    for most in (10**6, 900):
        monkeypatch.setattr(quantiles, "MOST_ROWS", most)
        one = with_quantile(frame.coalesce(1), "n").orderBy("id").collect()
        two = with_quantile(frame.repartition(7).orderBy(F.desc("n")), "n").orderBy("id").collect()
        assert one == two
        assert 8 <= len({row[QUANTILE] for row in one}) <= PARTS


def test_bounds_of_many_rows_come_from_a_sample_of_them(spark, monkeypatch):
    monkeypatch.setattr(quantiles, "MOST_ROWS", 2000)
    frame = spark.range(20_000).select(F.col("id").alias("n"))
    sizes = with_quantile(frame, "n").groupBy(QUANTILE).count().toPandas()["count"]
    assert len(sizes) == PARTS
    assert sizes.between(1700, 2300).all()


def test_sample_has_some_of_the_equal_rows_of_each_number(spark, monkeypatch):
    monkeypatch.setattr(quantiles, "MOST_ROWS", 4000)
    frame = spark.range(20_000).select((F.col("id") % 25).alias("n"))
    sizes = with_quantile(frame, "n").groupBy(QUANTILE).count().toPandas()["count"]
    assert len(sizes) == PARTS
    assert sizes.between(800, 3200).all()


def test_ranges_are_named_by_their_bounds_in_order(spark):
    frame = spark.createDataFrame([(float(i),) for i in range(101)], "n double")
    names = [
        row[0]
        for row in with_quantile(frame, "n").select(QUANTILE).distinct().orderBy(QUANTILE).collect()
    ]
    assert names[:2] == ["01: up to 10", "02: 10 to 20"]
    assert names[-1] == "10: above 90"
    assert with_quantile(frame, "n").columns == ["n", QUANTILE]


def test_bounds_that_differ_little_are_told_apart(spark):
    frame = spark.createDataFrame([(1e9 + i / 100,) for i in range(101)], "n double")
    rows = with_quantile(frame, "n").select(QUANTILE).distinct().orderBy(QUANTILE).collect()
    assert [row[0] for row in rows][:2] == ["01: up to 1000000000.1", "02: 1000000000.1 to 1000000000.2"]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1, 2], ["1: up to 1.5", "2: above 1.5"]),
        ([1_827_069.25, 16_480_000], ["1: up to 9153535", "2: above 9153535"]),
        ([2e15, 4e15], ["1: up to 3e+15", "2: above 3e+15"]),
    ],
)
def test_ranges_are_named_in_plain_digits(spark, values, names):
    frame = spark.createDataFrame([(float(value),) for value in values], "x double")
    rows = with_quantile(frame, "x", 2).select(QUANTILE).collect()
    assert sorted(row[0] for row in rows) == names
