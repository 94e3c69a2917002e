"""Records with missing values, dates, and columns of any name, as features."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.spec_checks import check_spec
from common.errors import UserError
from common.learning.prepare import IMPUTE, NATIVE
from common.learning.vectorizer import (
    FEATURES,
    LABEL,
    feature_names,
    feature_sources,
    fit_vectorizer,
    missing_of,
    number_features,
    vectorize,
)
from tests.specs import labelled, number, numbered, text

NAN = float("nan")


def table_of(frame, spec, train=None, missing=IMPUTE, encoding="onehot"):
    """Return the features of each row by name; numbers as they were before they were scaled."""
    vectorizer = fit_vectorizer(train or frame, spec, encoding, missing)
    names = feature_names(vectorizer, spec)
    rows = [row[FEATURES].toArray() for row in vectorize(frame, vectorizer, spec).collect()]
    found = np.array(rows)
    assert found.shape[1] == len(names) == len(feature_sources(vectorizer, spec))
    scaler = next((stage for stage in vectorizer.stages if hasattr(stage, "originalMin")), None)
    if scaler is not None:
        low, high = scaler.originalMin.toArray(), scaler.originalMax.toArray()
        count = number_features(vectorizer, spec)
        constant = high == low
        found[:, :count] = np.where(constant, low, low + found[:, :count] * (high - low))
    return dict(zip(names, found.T.tolist(), strict=True))


def test_missing_number_gets_the_median_of_the_training_rows_and_a_feature_that_says_so(spark):
    spec = labelled(number("a", 0.2), number("b"))
    rows = [(1.0, 7.0, "no"), (None, 8.0, "no"), (2.0, 9.0, "yes"), (30.0, 6.0, "yes")]
    frame = spark.createDataFrame(rows, spec.schema)
    assert table_of(frame, spec) == {
        "a": pytest.approx([1, 2, 2, 30]),
        "a missing": [0, 1, 0, 0],
        "b": pytest.approx([7, 8, 9, 6]),
    }
    other = spark.createDataFrame([(None, 1.0, "no")], spec.schema)
    assert table_of(other, spec, train=frame)["a"] == pytest.approx([2])


def test_median_counts_every_row_of_a_number_with_whole_values(spark):
    spec = labelled(number("a", 0.1, "integer"))
    frame = spark.range(1001).select(
        F.when(F.col("id") > 0, F.col("id") * F.col("id")).alias("a"), F.lit("no").alias("y")
    )
    assert table_of(frame.orderBy("id"), spec)["a"][0] in (pytest.approx(500**2), pytest.approx(501**2))


def test_native_leaves_missing_numbers_as_they_are(spark):
    spec = labelled(number("a", 0.5), text("kind", 0.5))
    rows = [(1.0, "x", "no"), (None, None, "no"), (3.0, "x", "yes")]
    frame = spark.createDataFrame(rows, spec.schema)
    found = table_of(frame, spec, missing=NATIVE)
    assert found["a"] == pytest.approx([1, NAN, 3], nan_ok=True)
    assert list(found) == ["a", "kind=x", "kind missing", "kind other"]
    for missing in (IMPUTE, NATIVE):
        assert missing_of(fit_vectorizer(frame, spec, "onehot", missing)) == missing


def test_numbers_that_the_spec_says_are_never_missing_are_refused_by_name(spark):
    spec = labelled(number("a"), number("b.c"))
    frame = spark.createDataFrame([(1.0, None, "no"), (2.0, 3.0, "no"), (2.0, None, "yes")], spec.schema)
    with pytest.raises(UserError) as raised:
        fit_vectorizer(frame, spec, "onehot")
    assert str(raised.value) == (
        "numeric column 'b.c' has 2 missing values among the training rows, but the spec says that it "
        "has none: give its share of the rows as missing"
    )


def test_number_without_any_value_is_refused_by_name(spark):
    spec = labelled(number("a", 0.9), number("b", 0.1))
    frame = spark.createDataFrame([(None, 1.0, "no"), (None, None, "yes")], spec.schema)
    with pytest.raises(UserError) as raised:
        fit_vectorizer(frame, spec, "onehot")
    assert str(raised.value) == (
        "numeric column 'a' has no value in the training rows: give it the role ignored"
    )
    assert table_of(frame, spec, missing=NATIVE)["a"] == pytest.approx([NAN, NAN], nan_ok=True)


@pytest.mark.parametrize("encoding", ["onehot", "index"])
def test_missing_text_is_a_category_of_its_own(spark, encoding):
    spec = labelled(text("kind", 0.4))
    texts = ["x", None, "z", "x", None, "x", ""]
    frame = spark.createDataFrame([(kind, "no") for kind in texts], spec.schema)
    found = table_of(frame, spec, encoding=encoding)
    if encoding == "index":
        # By descending frequency; an empty text is a missing one.
        assert found == {"kind": [1, 0, 2, 1, 0, 1, 0]} or found == {"kind": [0, 1, 2, 0, 1, 0, 1]}
    else:
        assert found["kind missing"] == [0, 1, 0, 0, 1, 0, 1]
        assert found["kind other"] == [0] * 7
        assert set(found) == {"kind=x", "kind=z", "kind missing", "kind other"}


def test_text_that_is_missing_only_later_is_one_of_the_others(spark):
    spec = labelled(text("kind"))
    train = spark.createDataFrame([("x", "no"), ("z", "no")], spec.schema)
    later = spark.createDataFrame([(None, "no")], spec.schema)
    assert table_of(later, spec, train=train) == {"kind=x": [0], "kind=z": [0], "kind other": [1]}


def test_parts_of_a_date_are_numbers(spark):
    spec = labelled(number("on", type="date"))
    days = [date(2024, 2, 29), date(1969, 12, 31), date(2024, 3, 4), date(1900, 1, 7)]
    frame = spark.createDataFrame([(day, "no") for day in days], spec.schema)
    assert table_of(frame, spec) == {
        "on year": pytest.approx([2024, 1969, 2024, 1900]),
        "on month": pytest.approx([2, 12, 3, 1]),
        "on day": pytest.approx([29, 31, 4, 7]),
        # A Thursday, a Wednesday, a Monday and a Sunday.
        "on weekday": pytest.approx([day.weekday() for day in days]),
        "on days": pytest.approx([(day - date(1970, 1, 1)).days for day in days]),
    }
    assert [day.weekday() for day in days] == [3, 2, 0, 6]


def test_timestamp_has_its_hour_too_and_missing_ones_the_median_of_each_part(spark):
    spec = labelled(number("at", 0.25, "timestamp"))
    moments = [
        datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC),
        None,
        datetime(2024, 6, 15, 0, 0, tzinfo=UTC),
        datetime(2021, 1, 1, 12, 30, tzinfo=UTC),
    ]
    frame = spark.createDataFrame([(moment, "no") for moment in moments], spec.schema)
    found = table_of(frame, spec)
    assert found == {
        "at year": pytest.approx([2024, 2024, 2024, 2021]),
        "at month": pytest.approx([12, 6, 6, 1]),
        "at day": pytest.approx([31, 15, 15, 1]),
        "at weekday": pytest.approx([1, 4, 5, 4]),
        "at hour": pytest.approx([23, 12, 0, 12]),
        "at days": pytest.approx([20088, 19889, 19889, 18628]),
        "at missing": [0, 1, 0, 0],
    }
    native = table_of(frame, spec, missing=NATIVE)
    assert native["at hour"] == pytest.approx([23, NAN, 0, 12], nan_ok=True)
    assert "at missing" not in native


NAMES = (
    *("a.b", "with space", "back`tick", 'quo"te', "it's", "größe 漢字", "$HOME", "{x}", "a-b", "x=1"),
    *("features", "label", "fold", "prediction2", "1st", "select", "row", "stratum", "back\\slash"),
)


@pytest.mark.parametrize("name", ["a ${env:HOME}", "__THIS__"])
def test_name_that_spark_would_replace_is_refused(name):
    with pytest.raises(UserError, match="give it another with rename:"):
        check_spec(labelled(number(name)))


@pytest.mark.parametrize("encoding", ["onehot", "index"])
def test_columns_may_have_any_name(spark, encoding):
    numbers = [number(name, 0.1) for name in NAMES]
    texts = [text(f"{name} kind") for name in NAMES]
    spec = labelled(*numbers, *texts)
    check_spec(spec)
    size = len(NAMES)
    rows = [
        tuple(float(i * j % 7) for j in range(size)) + (f"k{i % 2}",) * size + ("no",) for i in range(9)
    ]
    frame = spark.createDataFrame(rows, spec.schema)
    found = table_of(frame, spec, encoding=encoding)
    for place, name in enumerate(NAMES):
        assert found[name] == pytest.approx([row[place] for row in rows])
        if encoding == "onehot":
            assert found[f"{name} kind=k1"] == [i % 2 for i in range(9)]
    vectorizer = fit_vectorizer(frame, spec, encoding)
    kept = vectorize(frame, vectorizer, spec)
    assert kept.columns == [*spec.names, FEATURES, LABEL]
    assert kept.select(*map(quoted, spec.names)).collect() == frame.collect()


@pytest.mark.parametrize(
    "labels",
    [
        ("no", "yes"),
        ("it's", 'a "b"'),
        ("größe", "漢字"),
        ("a`b", "a\\b"),
        ("0", "1"),
        ("<=50K", ">50K", "?"),
    ],
)
def test_label_is_a_text_of_any_kind(spark, labels):
    spec = labelled(number("a"), labels=labels)
    frame = spark.createDataFrame([(1.0, label) for label in (*labels, "unknown")], spec.schema)
    rows = vectorize(frame, fit_vectorizer(frame, spec, "onehot"), spec).collect()
    assert [row[LABEL] for row in rows] == [*map(float, range(len(labels))), -1.0]


def test_number_to_predict_is_the_label_itself(spark):
    spec = numbered(number("a"))
    frame = spark.createDataFrame([(1.0, -2.5), (2.0, 3e8)], spec.schema)
    rows = vectorize(frame, fit_vectorizer(frame, spec, "onehot"), spec).collect()
    assert [row[LABEL] for row in rows] == [-2.5, 3e8]


def test_table_without_an_input_is_refused(spark):
    spec = labelled()
    frame = spark.createDataFrame([("no",)], spec.schema)
    with pytest.raises(
        UserError, match="dataset 'table' has no column with the role numeric or category"
    ):
        fit_vectorizer(frame, spec, "onehot")
