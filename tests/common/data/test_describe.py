import pandas as pd
import pytest
from pyspark.sql import functions as F

from common.data import describe as module
from common.data.describe import describe, describe_html, describe_text


@pytest.fixture(scope="module")
def table(people):
    return describe(people).set_index("column")


def test_numbers_agree_with_pandas(table, people):
    frame = people.toPandas()
    for name in ("age", "fnlwgt", "capital-gain"):
        theirs = frame[name].describe()
        ours = table.loc[name]
        for key in ("mean", "min", "max"):
            assert ours[key] == pytest.approx(theirs[key])
        assert ours["stddev"] == pytest.approx(theirs["std"])
        ranked = frame[name].sort_values(ignore_index=True)
        for share, key in ((0.25, "25%"), (0.5, "50%"), (0.75, "75%")):
            place = int(share * len(ranked))
            assert ranked[place - 1] <= ours[key] <= ranked[place]


def test_values_agree_with_pandas(table, people):
    frame = people.toPandas()
    for name in frame.columns:
        tally = frame[name].value_counts()
        assert table.loc[name, "distinct"] == len(tally)
        assert table.loc[name, "most_frequent_count"] == tally.max()
        assert table.loc[name, "most_frequent"] == min(tally[tally == tally.max()].index)
        assert table.loc[name, "null"] == frame[name].isna().sum()


def test_nulls_are_counted_and_are_no_value(spark):
    frame = spark.createDataFrame(
        [("b", None), (None, None), ("a", 1.0), ("a", None)], "s string, x double"
    )
    found = describe(frame).set_index("column")
    shown = ["count", "distinct", "null", "missing_%", "most_frequent_count"]
    assert list(found.loc["s", shown]) == [3, 2, 1, 25.0, 2]
    assert list(found.loc["x", shown]) == [1, 1, 3, 75.0, 1]


def test_dates_and_timestamps_have_bounds_and_a_mode_in_utc(spark):
    days = ["2024-02-29", "9999-12-31", "2024-02-29", None]
    frame = spark.createDataFrame([(day,) for day in days], "day string").select(
        F.col("day").cast("date").alias("d"),
        F.concat("day", F.lit(" 12:30:00")).cast("timestamp").alias("t"),
    )
    found = describe(frame).set_index("column")
    shown = ["count", "distinct", "null", "min", "max", "most_frequent", "most_frequent_count"]
    day, last = "2024-02-29", "9999-12-31"
    assert list(found.loc["d", shown]) == [3, 2, 1, day, last, day, 2]
    noon, late = f"{day} 12:30:00", f"{last} 12:30:00"
    assert list(found.loc["t", shown]) == [3, 2, 1, noon, late, noon, 2]
    assert found[["mean", "stddev", "50%"]].isna().all(axis=None)


def test_many_columns_are_described_in_groups(spark, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    frame = spark.range(10).select(*[(F.col("id") + place).alias(f"x.{place}") for place in range(5)])
    found = describe(frame)
    assert found["column"].tolist() == frame.columns
    assert found["min"].tolist() == [0, 1, 2, 3, 4]


def test_mean_of_whole_numbers_is_that_of_their_exact_sum(spark):
    values = [10**15 + number for number in range(50)] + [-(10**15), 2**62, -(2**62), 7, None]
    schema = "big bigint, small smallint, none int"
    frame = spark.createDataFrame(
        [(value, number % 7 - 3, None) for number, value in enumerate(values)], schema
    )
    means = describe(frame).set_index("column")["mean"]
    there = [value for value in values if value is not None]
    assert means["big"] == sum(there) / len(there)
    assert means["small"] == pytest.approx(sum(n % 7 - 3 for n in range(len(values))) / len(values))
    assert pd.isna(means["none"])


def test_column_without_a_value_has_no_mode(spark):
    found = describe(spark.createDataFrame([(None,)], "s string")).iloc[0]
    assert found["count"] == 0
    assert found["distinct"] == 0
    assert found["most_frequent"] is None


def test_description_is_one_job_over_the_rows(spark, people):
    tracker = spark.sparkContext.statusTracker()
    spark.sparkContext.setJobGroup("describe", "one pass")
    describe(people)
    jobs = tracker.getJobIdsForGroup("describe")
    spark.sparkContext._jsc.clearJobGroup()
    stages = [stage for job in jobs for stage in tracker.getJobInfo(job).stageIds]
    ran = [tracker.getStageInfo(stage) for stage in set(stages)]
    over_rows = [s for s in ran if s and s.numCompletedTasks == people.rdd.getNumPartitions() > 1]
    assert len(over_rows) == 1


def test_more_values_than_are_tracked_are_an_estimate_and_said_to_be(spark, monkeypatch):
    monkeypatch.setattr(module, "TRACKED", 64)
    monkeypatch.setattr(module, "EXACT_DISTINCT", 48)
    frame = spark.range(5000).withColumn("few", F.col("id") % 5)
    found = describe(frame).set_index("column")
    assert not found.loc["id", "exact"]
    assert found.loc["id", "distinct"] == pytest.approx(5000, rel=0.05)
    assert found.loc["few", "exact"]
    assert found.loc["few", "distinct"] == 5


def test_html_is_one_page_that_escapes_what_it_shows():
    row = dict.fromkeys(module.COLUMNS, 1.5) | {"column": "<b>", "most_frequent": "a<b"}
    page = describe_html(pd.DataFrame([row]), "adult: 1 column")
    assert page.startswith("<!DOCTYPE html>")
    assert "adult: 1 column" in page
    assert "&lt;b&gt;" in page
    assert "a<b" not in page


def test_few_missing_values_are_not_shown_as_none(spark):
    frame = spark.range(30_001).select(F.when(F.col("id") > 0, F.col("id")).alias("a"))
    found = describe(frame).iloc[0]
    assert (found["null"], found["missing_%"]) == (1, 0.003)


def test_many_missing_values_are_not_shown_as_all(spark):
    frame = spark.range(30_001).select(F.when(F.col("id") == 7, F.col("id")).alias("a"))
    found = describe(frame)
    assert found["missing_%"].tolist() == [99.997]
    assert "99.997" in describe_html(found, "one")


def test_lines_have_small_numbers_in_full_and_how_often_the_mode_occurs(spark):
    rows = [(1e-13 * (n + 1), 6.74e-05, f"text {n // 2} of some length indeed") for n in range(40)]
    frame = spark.createDataFrame(rows, "tiny double, same double, words string")
    empty = frame.withColumn("none", F.lit(None).cast("double"))
    head, tiny, same, words, none = describe_text(describe(empty)).splitlines()
    assert head.split()[-2:] == ["most_frequent", "(rows)"]
    assert tiny.split() == (
        [
            "tiny",
            "double",
            "40",
            "2.05e-12",
            "1.169e-12",
            "1e-13",
            "2e-12",
            "4e-12",
            "40",
            "0",
            "1e-13",
            "(1)",
        ]
    )
    assert same.split()[3:8] == ["6.74e-05", "0", "6.74e-05", "6.74e-05", "6.74e-05"]
    assert same.endswith("6.74e-05 (40)")
    assert words.endswith("text 0 of some length... (2)")
    assert none.split() == ["none", "double", "0", "0", "100"]
