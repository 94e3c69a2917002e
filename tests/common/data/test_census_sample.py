import json

import pandas as pd
import pytest

from common.data.census_sample import count_table, draw
from common.data.spec_yaml import CONF
from common.data.stratify import stratify
from common.learning.learners import get_learner
from common.learning.metrics import scores
from common.learning.vectorizer import fit_vectorizer, vectorize
from common.search.winner import model_table

# Shares of `?` in the real file, in percent.
MISSING = {"workclass": 5.64, "occupation": 5.66, "native-country": 1.79}
CATEGORIES = {
    "workclass": 9,
    "education": 16,
    "education-num": 16,
    "marital-status": 7,
    "occupation": 15,
    "relationship": 6,
    "race": 5,
    "sex": 2,
    "native-country": 42,
}


def test_sample_has_adults_columns_and_number_of_rows(sample_rows, spec):
    assert list(sample_rows.columns) == spec.names
    assert len(sample_rows) == 32_561
    for column in spec.columns:
        assert pd.api.types.is_integer(sample_rows[column.name][0]) == (column.type == "integer")


def test_sample_has_exactly_adults_counts_of_income_by_sex(sample_rows):
    counts = sample_rows.groupby(["income", "sex"]).size().to_dict()
    assert counts == {
        (">50K", "Female"): 1_179,
        ("<=50K", "Male"): 15_128,
        ("<=50K", "Female"): 9_592,
        (">50K", "Male"): 6_662,
    }


def test_sample_has_adults_categories(sample_rows):
    table = json.loads((CONF / "census_sample.json").read_text())
    values = {column["name"]: column["values"] for column in table["columns"]}
    for name, number in CATEGORIES.items():
        assert len(values[name]) == number
        assert set(sample_rows[name]) <= set(values[name])
        # The rarest of 42 countries has one row in the real file, and need not be drawn.
        assert sample_rows[name].nunique() >= number - 1


def test_sample_has_adults_share_of_missing_values(sample_rows):
    shares = 100 * (sample_rows == "?").mean()
    for name in sample_rows:
        assert shares[name] == pytest.approx(MISSING.get(name, 0), abs=0.3)


def test_sample_is_the_same_every_time(sample_rows):
    table = json.loads((CONF / "census_sample.json").read_text())
    pd.testing.assert_frame_equal(draw(table), sample_rows)
    assert not draw(table, seed=1).equals(sample_rows)


def test_drawn_rows_keep_a_dependency_that_was_counted():
    pairs = [("a", "x", 0), ("a", "x", 0), ("b", "y", 1), ("b", "y", 0)] * 50
    frame = pd.DataFrame(pairs, columns=["root", "leaf", "label"])
    drawn = draw(count_table(frame, "label", "root"))
    assert {("a", "x"), ("b", "y")} == set(zip(drawn.root, drawn.leaf, strict=True))
    assert drawn.groupby(["label", "root"]).size().to_dict() == {
        (0, "a"): 100,
        (0, "b"): 50,
        (1, "b"): 50,
    }


def test_committed_table_is_what_the_real_file_counts_to(real_file, spec):
    frame = pd.read_csv(real_file, names=spec.names, skipinitialspace=True, keep_default_na=False)
    table = count_table(frame, "income", "sex")
    assert table == json.loads((CONF / "census_sample.json").read_text())


@pytest.mark.slow
def test_trees_score_on_the_sample_as_on_the_real_data(spark, spec, sample_rows):
    frame = spark.createDataFrame(sample_rows, schema=spec.schema)
    parts = stratify(frame, spec.strata, 0.7, 42)
    train = parts.train.repartition(2, *spec.names).cache()
    vectorizer = fit_vectorizer(train, spec, "onehot")
    few = {"maxDepth": 4, "maxBins": 32, "maxIter": 5, "stepSize": 0.5}
    learner = get_learner("gbt").fitting(spec.task).estimator(few, 42)
    model = learner.fit(vectorize(train, vectorizer, spec))
    found = scores(model_table(model, vectorize(parts.test, vectorizer, spec), spec.target))
    train.unpersist()
    # The same on the real file; guessing has 0.655.
    assert found["f1_weighted"] == pytest.approx(0.845, abs=0.02)
