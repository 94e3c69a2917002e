import pytest
from pyspark.sql import functions as F

from common.data import strata_rank
from common.data.row_hash import COPY, HASH, frame_digest, row_hash
from common.data.strata_rank import RANK, ROW, SIZE, rank_hashes, rank_in_strata

WIDE = {"MOST_WHOLE": 0}
WAYS = [{}, WIDE, {**WIDE, "MOST_SENT": 0}]


@pytest.fixture
def rows(spark):
    """900 rows of which 200 have an equal one, some ten times; and a name with a dot."""
    once = spark.range(700).select(
        (F.col("id") % 3).alias("s.1"), F.col("id").alias("value"), F.lit("x").alias("t")
    )
    often = spark.range(200).select(
        (F.col("id") % 2).alias("s.1"), (F.col("id") % 20).alias("value"), F.lit(None).alias("t")
    )
    return once.union(often)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hash_of", [row_hash, lambda *given: F.pmod(row_hash(*given), F.lit(40))])
def test_rows_are_ranked_alike_whole_and_by_their_hashes(rows, monkeypatch, way, hash_of):
    """Also where different rows share a hash."""
    monkeypatch.setattr(strata_rank, "row_hash", hash_of)
    monkeypatch.setattr(strata_rank, "MOST_WHOLE", 1000)
    expected = frame_digest(rank_in_strata(rows, ["s.1"], 7))
    for name, most in way.items():
        monkeypatch.setattr(strata_rank, name, most)
    found = rank_in_strata(rows, ["s.1"], 7)
    assert frame_digest(found) == expected
    assert found.columns == [*rows.columns, SIZE, RANK]
    assert frame_digest(found.drop(SIZE, RANK)) == frame_digest(rows)
    numbered = found.groupBy("`s.1`").agg(F.count_distinct(RANK), F.max(RANK), F.max(SIZE)).collect()
    assert len(numbered) == 3
    assert all(ranks == size == highest + 1 for _, ranks, highest, size in numbered)


def test_no_task_gathers_a_stratum(spark):
    """With one stratum in eight partitions, each task must rank some of the rows."""
    own = F.xxhash64("id").alias(HASH)
    one = spark.range(20_000).select(
        F.lit("s").alias("s"), own, F.lit(None).alias(ROW), F.lit(0).alias(COPY)
    )
    given = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "8"}
    before = {name: spark.conf.get(name) for name in given}
    for name, value in given.items():
        spark.conf.set(name, value)
    try:
        ranked = rank_hashes(one, 1)
        # Without its ranks Spark would leave out the ranking.
        counted = ranked.groupBy(F.spark_partition_id()).agg(F.count("*").alias("count"), F.max(RANK))
        tasks = counted.toPandas()["count"]
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    assert tasks.sum() == 20_000
    assert tasks.max() < 20_000 / 8 * 1.3
