"""Vectorise wide tables in a session of its own, for test_wide; prints the size of each."""

import sys

from pyspark.sql import functions as F

from common.data.infer import rows
from common.data.infer.table import infer_table
from common.data.spec_yaml import Given
from common.data.target import BINARY
from common.learning.learners import get_learner
from common.learning.prepare import IMPUTE, NATIVE
from common.learning.vectorizer import FEATURES, LABEL, feature_names, fit_vectorizer, vectorize
from common.machine.spark import get_session
from common.search.folds import assign_fold_rank, fold_data
from common.search.winner import predictions, scoring_pipeline
from tests.specs import labelled, number, text

ROWS = 400


def vectorise(spark, folder, numbers, texts, dates):
    """Take a table of so many columns to a fitted pipeline."""
    columns = [number(f"n.{place}", 0.1 * (place % 2)) for place in range(numbers)]
    columns += [number(f"at {place}", 0.1, "timestamp") for place in range(dates)]
    columns += [text(f"kind {place}", 0.1) for place in range(texts)]
    spec = labelled(*columns, max_categories=20)
    place, kinds = F.col("id"), {"double": "double", "timestamp": "timestamp", "string": "string"}
    values = [
        F.when((place + at) % 9 >= column.missing * 10, F.abs(F.hash("id", F.lit(at))) % (at + 5))
        .cast("long")
        .cast(kinds[column.type])
        .alias(column.name)
        for at, column in enumerate(columns)
    ]
    frame = spark.range(ROWS).select(*values, F.when(place % 3 == 0, "yes").otherwise("no").alias("y"))
    frame.write.parquet(f"file://{folder}/rows")
    found = infer_table(spark, f"file://{folder}/rows", Given("wide", "y"))
    assert found.looked is not None
    assert found.spec.names == spec.names
    read = spark.read.parquet(f"file://{folder}/rows")
    for missing in (IMPUTE, NATIVE):
        vectorizer = fit_vectorizer(read, spec, "onehot", missing)
        names = feature_names(vectorizer, spec)
        folded = vectorize(assign_fold_rank(read, "y", 1), vectorizer, spec)
        folded.write.parquet(f"file://{folder}/{missing}")
        folded = spark.read.parquet(f"file://{folder}/{missing}")
        assert folded.first()[FEATURES].size == len(names)
        assert folded.where(F.col(LABEL) == 1).count() == -(-ROWS // 3)
    data = fold_data(folded, 2, spec.target)
    model = get_learner("random_forest").fitting(BINARY).estimator({"numTrees": 1}, 1)
    impute = fit_vectorizer(read, spec, "index")
    fitted = model.fit(vectorize(read, impute, spec))
    pipeline = scoring_pipeline(impute, fitted, spec)
    assert data.rows == predictions(pipeline, vectorize(read, impute, spec), spec.target).count()


def main(folder, *sizes):
    # Of a large table some rows are looked at.
    rows.MOST_CELLS, rows.LEAST_ROWS = 0, 100
    spark = get_session("local[2]", brief=True)
    for size in sizes:
        # A wider table may not profit from what an earlier one has set.
        spark.conf.unset("spark.sql.codegen.wholeStage")
        vectorise(spark, f"{folder}/{size}", *map(int, size.split("-")))
        print(size)


if __name__ == "__main__":
    main(*sys.argv[1:])
