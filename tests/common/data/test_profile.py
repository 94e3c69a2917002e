import re

import pytest
from pyspark.sql import functions as F

from common.data.profile import NoProfile, sample_rows, write_profile
from common.data.row_hash import frame_digest


def test_sample_is_the_same_rows_whatever_the_partitions(people):
    sampled = sample_rows(people, 100)
    assert sampled.count() == 100
    assert frame_digest(sampled) == frame_digest(sample_rows(people.repartition(7), 100))


def test_sample_has_equal_rows_by_their_share(spark):
    rows = spark.range(5000).select((F.col("id") % 5 > 0).alias("a"), F.lit("x").alias("b`.c"))
    found = {row["a"]: row["count"] for row in sample_rows(rows, 500).groupBy("a").count().collect()}
    assert sum(found.values()) == 500
    assert 60 < found[False] < 140


def test_sample_of_few_rows_is_all_of_them(spark):
    rows = spark.createDataFrame([(1, "x")] * 3 + [(2, None)], "a int, b string")
    assert frame_digest(sample_rows(rows, 10)) == frame_digest(rows)


@pytest.mark.slow
def test_profile_is_one_page_of_at_most_the_rows_asked_for(people, tmp_path):
    path = tmp_path / "reports" / "overview.html"
    write_profile(people.select("age", "sex"), path, "adult: overview", rows=50, minimal=True)
    page = path.read_text()
    assert "adult: overview" in page
    assert re.search(r"Number of observations(</th>)?\s*<td[^>]*>50\b", page)


def test_words_of_any_length_are_profiled(spark, tmp_path):
    rows = spark.range(300).select(
        F.concat(F.lit("https://x.org/" + "a" * 160), "id").alias("url"),
        F.concat(F.lit("b" * 200 + " "), F.col("id") % 2).alias("few"),
    )
    write_profile(rows, tmp_path / "page.html", "long", 100, minimal=True)
    assert "https://x.org/" in (tmp_path / "page.html").read_text()


def test_error_of_the_package_is_one_line(spark, tmp_path, monkeypatch):
    def fail(*given, **named):
        raise ValueError("no space\nat all")

    monkeypatch.setattr("common.data.profile.ProfileReport.to_file", fail)
    said = r"fg-data-profiling fails on these rows \(ValueError: no space\); profile=none"
    with pytest.raises(NoProfile, match=said):
        write_profile(spark.range(9), tmp_path / "page.html", "none", 100, minimal=True)
