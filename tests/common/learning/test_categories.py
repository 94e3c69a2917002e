"""Which texts of a column are categories, and the index of each."""

import random

import pytest
from pyspark.ml.feature import StringIndexer, StringIndexerModel

from common.learning.vectorizer import (
    FEATURES,
    categories_of,
    feature_names,
    feature_sources,
    fit_vectorizer,
    vectorize,
)
from tests.specs import labelled, number, text

STRANGE = (
    *(
        "it's",
        'a "b"',
        "a`b",
        "a\\b",
        "größe",
        "漢字",
        "😀",
        "\uffee",
        " ",
        "a\tb",
        "a\nb",
        "__unknown",
        "null",
    ),
    *("=", ",", "a.b", "$1", "\\E", "\\Q", "{0}", "x" * 3000, "\x01", "a\x01\x02b", "NaN", "true"),
)


def drawn(size, texts, seed=0):
    """Return texts with many equal counts, in no order."""
    generator = random.Random(seed)
    return [
        texts[min(generator.randrange(len(texts)), generator.randrange(len(texts)))] for _ in range(size)
    ]


@pytest.fixture(scope="module")
def kinds(spark):
    """600 rows of two columns of texts."""
    spec = labelled(text("a"), text("b.c"), max_categories=1000)
    one, two = drawn(600, [f"k{i}" for i in range(40)]), drawn(600, STRANGE, 1)
    return spark.createDataFrame([(a, b, "no") for a, b in zip(one, two, strict=True)], spec.schema), spec


def test_indices_are_those_of_sparks_string_indexer(kinds):
    frame, spec = kinds
    theirs = StringIndexer(inputCols=["a", "b"], outputCols=["i", "j"], handleInvalid="keep")
    model = theirs.fit(frame.toDF("a", "b", "y"))
    vectorizer = fit_vectorizer(frame, spec, "index")
    assert list(categories_of(vectorizer, spec).values()) == [
        list(labels) for labels in model.labelsArray
    ]
    expected = [(row["i"], row["j"]) for row in model.transform(frame.toDF("a", "b", "y")).collect()]
    assert [
        tuple(r[FEATURES].toArray()) for r in vectorize(frame, vectorizer, spec).collect()
    ] == expected
    unseen = frame.sparkSession.createDataFrame([("new", "new", "no")], spec.schema)
    assert tuple(vectorize(unseen, vectorizer, spec).first()[FEATURES]) == tuple(
        map(len, model.labelsArray)
    )


@pytest.mark.parametrize("encoding", ["onehot", "index"])
def test_most_frequent_texts_are_kept_and_the_others_share_one_index(kinds, encoding):
    frame, whole = kinds
    capped = labelled(*whole.inputs, max_categories=5)
    every = categories_of(fit_vectorizer(frame, whole, encoding), whole)
    vectorizer = fit_vectorizer(frame, capped, encoding)
    kept = categories_of(vectorizer, capped)
    assert kept == {name: texts[:5] for name, texts in every.items()}
    names = feature_names(vectorizer, capped)
    rows = vectorize(frame, vectorizer, capped).collect()
    if encoding == "index":
        assert names == ["a", "b.c"]
        places = {value: place for place, value in enumerate(kept["a"])}
        assert [row[FEATURES][0] for row in rows] == [places.get(row["a"], 5) for row in rows]
        return
    assert names == [f"{name}={value}" for name in ("a",) for value in kept["a"]] + ["a other"] + [
        f"b.c={value}" for value in kept["b.c"]
    ] + ["b.c other"]
    assert feature_sources(vectorizer, capped) == ["a"] * 6 + ["b.c"] * 6
    other = [row[FEATURES][5] for row in rows]
    assert other == [float(row["a"] not in kept["a"]) for row in rows]
    assert 0 < sum(other) < len(rows)
    assert all(sum(row[FEATURES].toArray()) == 2 for row in rows)


def test_missing_text_beyond_the_most_frequent_is_one_of_the_others(spark):
    spec = labelled(text("kind", 0.1), max_categories=1)
    frame = spark.createDataFrame([("x", "no"), ("x", "no"), (None, "no")], spec.schema)
    vectorizer = fit_vectorizer(frame, spec, "onehot")
    assert feature_names(vectorizer, spec) == ["kind=x", "kind other"]


def test_columns_may_have_one_category_or_many(spark):
    spec = labelled(text("one"), text("many"), number("n"), max_categories=3000)
    frame = spark.createDataFrame([("x", f"k{i}", float(i), "no") for i in range(2500)], spec.schema)
    vectorizer = fit_vectorizer(frame, spec, "onehot")
    assert {name: len(texts) for name, texts in categories_of(vectorizer, spec).items()} == {
        "one": 1,
        "many": 2500,
    }
    assert vectorize(frame, vectorizer, spec).first()[FEATURES].size == 1 + 2 + 2501


def test_indexer_is_stored_and_loaded_with_its_texts(kinds, tmp_path):
    frame, spec = kinds
    vectorizer = fit_vectorizer(frame, spec, "index")
    indexer = next(stage for stage in vectorizer.stages if isinstance(stage, StringIndexerModel))
    indexer.write().save(str(tmp_path / "indexer"))
    assert StringIndexerModel.load(str(tmp_path / "indexer")).labelsArray == indexer.labelsArray
