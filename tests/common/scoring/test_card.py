import json
import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from pyspark.sql import functions as F

from common.data.quantiles import QUANTILE, with_strata
from common.data.spec import Column, DatasetSpec
from common.data.target import MULTICLASS, REGRESSION
from common.learning.class_metrics import class_table
from common.learning.metrics import ScoreTable
from common.learning.number_metrics import number_table
from common.scoring.card import Origin, _use, model_card, stratum_scores
from common.scoring.card_input import _seen
from common.scoring.comparison import Agreement

KNOWN = {
    "age": {"least": 17.0, "most": 90.0},
    "education-num": {"categories": [str(number) for number in range(1, 17)], "capped": False},
}


def test_strata_have_their_rows_and_shares(fit_pipeline, spec, people):
    pipeline = fit_pipeline("logistic_regression", "index")
    table = stratum_scores(pipeline, people, people.limit(0), spec)
    assert list(table.columns[:4]) == ["income", "sex", "rows", "predicted right"]
    counts = people.groupBy("income", "sex").count().orderBy("income", "sex").toPandas()
    assert table["rows"].tolist() == counts["count"].tolist()
    scored = pipeline.transform(people)
    right = scored.where("prediction = income").count()
    assert abs((table["rows"] * table["predicted right"]).sum() - right) < 1e-6
    positive = scored.where(F.col("prediction") == ">50K").count()
    assert abs((table["rows"] * table["predicted >50K"]).sum() - positive) < 1e-6


def test_card_says_what_it_is_how_good_and_how_it_is_used(fit_pipeline, spec, people, sample_rows):
    strata = stratum_scores(fit_pipeline("logistic_regression", "index"), people, people.limit(0), spec)
    example = sample_rows.head(2)[[column.name for column in spec.inputs]]
    example = example.assign(occupation=["farmer's", "a"])
    card = model_card(
        spec,
        Origin("gbt", {"maxDepth": 3}, {"training": "abc", "test": "def"}, "Spark", ["weighed by a_b"]),
        ScoreTable(*np.array([[1, 1, 0.9, 140, 14.8], [1, 0, 0.1, 90, 207], [0, 0, 0.1, 9770, 1029]]).T),
        strata,
        Agreement(rows=9770, labels=0, numbers=0, largest=1.41e-8, refused=0),
        example,
        {"columns": {column.name: KNOWN.get(column.name, {}) for column in spec.inputs}},
    )
    for text in (
        "# adult: income",
        "- learner `gbt`: maxDepth=3\n- fitted on all training rows by Spark\n- weighed by a_b\n",
        "digest `abc`",
        # Rounded down, it would be no bound, and another than the search told.
        "differ by at most\n1.5e-8 (allowed: 1e-05).",
        "| metric | value | guessing |",
        "| accuracy | 0.9910 | 0.9770 |",
        "| f1 | 0.7568 | 0.0450 |",
        "Guessing predicts `<=50K` for every row (",
        "with the probability 0.023 of `>50K`",
        "On 9,770 test rows",
    ):
        assert text in card
    assert "| <=50K | Female |" in card
    assert "| age | integer | no | 17 to 90 |" in card
    assert "| education-num | integer | yes; none in the data set | 16 categories |" in card
    body = re.search(r"-d '(.*)'\n", card)[1].replace("'\\''", "'")
    assert json.loads(body)["dataframe_split"]["columns"] == list(example.columns)


def test_example_request_of_the_card_has_the_records_own_numbers():
    """Of 5.797282998e-10 ten decimals would leave 6e-10."""
    rows = [[5.797282998e-10, 1_700_822_090_263, None, "a"], [1 / 3, 5, 2.5, None]]
    card = _use(pd.DataFrame(rows, columns=["rate", "at", "gap", "job"]))
    body = re.search(r"-d '(.*)'\n", card)[1]
    assert json.loads(body)["dataframe_split"]["data"] == rows


@pytest.mark.parametrize(
    ("least", "most", "shown"),
    [
        (1_700_000_207_284.0, 1_700_999_853_357.0, "1700000207284 to 1700999853357"),
        (-0.5, 1 / 3, "-0.5 to 0.3333333333"),
        (1e-10, 2e16, "1e-10 to 2e+16"),
    ],
)
def test_whole_numbers_of_a_range_are_shown_in_full(least, most, shown):
    assert _seen({"least": least, "most": most}) == shown


KINDS = ("a", "b", "c")
LEARNED = {
    "columns": {"x": {"least": 0.0, "most": 9.0}, "place": {"categories": ["wet"], "capped": False}}
}
FOUND = Agreement(rows=9, labels=0, numbers=0, largest=0.0, refused=0)


def spec_of(task, label, type, labels=()):
    columns = (Column("x", "double", "numeric"), Column("place", "string", "category"))
    strata = (label, "place")
    return DatasetSpec("toy", (*columns, Column(label, type, "label")), label, labels, "", strata, task)


class Said:
    """Stands in for a scoring pipeline: adds the prediction."""

    def __init__(self, prediction):
        self.prediction = prediction

    def transform(self, frame):
        return frame.withColumn("prediction", self.prediction)


def test_strata_of_several_labels_have_the_share_that_is_right(spark):
    rows = [(float(n), "wet" if n % 3 else None, KINDS[n % 2]) for n in range(60)]
    frame = spark.createDataFrame(rows, "x double, place string, label string")
    spec = spec_of(MULTICLASS, "label", "string", KINDS)
    said = Said(F.when(F.col("x") < 20, "a").otherwise("b"))
    table = stratum_scores(said, frame, frame.limit(0), spec)
    local = pd.DataFrame(rows, columns=["x", "place", "label"]).fillna({"place": "missing"})
    local["right"] = np.where(local["x"] < 20, "a", "b") == local["label"]
    expected = local.groupby(["label", "place"])["right"].agg(["size", "mean"])
    assert list(table.columns) == ["label", "place", "rows", "predicted right"]
    found = table.set_index(["label", "place"])
    assert found["rows"].to_dict() == expected["size"].to_dict()
    assert found["predicted right"].to_dict() == pytest.approx(expected["mean"].to_dict())


def test_strata_of_a_number_are_its_quantiles_with_their_errors(spark):
    rows = [(float(n), "wet" if n % 2 else "dry", float(n)) for n in range(100)]
    frame = spark.createDataFrame(rows, "x double, place string, price double")
    spec = spec_of(REGRESSION, "price", "double")
    said = Said(F.when(F.col("place") == "dry", -2.0).otherwise(1.0) * F.col("x") / 10)
    table = stratum_scores(said, frame, frame.limit(0), spec)
    assert list(table.columns) == ["price", "place", "rows", "mean error", "mean absolute error"]
    assert table["price"].nunique() == 10
    assert table["rows"].tolist() == [5] * 20
    local = pd.DataFrame(rows, columns=["x", "place", "price"])
    error = np.where(local["place"] == "dry", -0.2, 0.1) * local["x"] - local["price"]
    for name, values in (("mean error", error), ("mean absolute error", error.abs())):
        sums = (table["rows"] * table[name]).groupby(table["place"]).sum()
        assert sums.to_dict() == pytest.approx(values.groupby(local["place"]).sum().to_dict())
    tenths = (table["rows"] * table["mean error"]).groupby(table["price"]).sum()
    assert tenths.tolist() == pytest.approx(error.groupby(local["price"] // 10).sum().tolist(), rel=0.2)


def card_of(spec, test, strata):
    example = pd.DataFrame({"x": [1.0], "place": ["wet"]})
    return model_card(spec, Origin("xgboost", {}, {"test": "d"}), test, strata, FOUND, example, LEARNED)


def test_card_of_several_labels_names_them_and_their_guess():
    label, probability = np.array([0, 1, 1, 2]), np.full((4, 3), 1 / 3)
    probability[:, 1] += 0.1
    probability /= probability.sum(axis=1, keepdims=True)
    strata = pd.DataFrame([["a", "wet", 3, 1 / 3]], columns=["label", "place", "rows", "predicted right"])
    card = card_of(spec_of(MULTICLASS, "label", "string", KINDS), class_table(label, probability), strata)
    for text in (
        "Predicts `label` (`a`, `b` or `c`) from one record.",
        "their probabilities, each named `probability_` and the label",
        "Guessing predicts `b`\nfor every row",
        "| accuracy | 0.5000 | 0.5000 |",
        f"| log_loss | {-np.log(probability[range(4), label]).mean():.4f} | 1.0397 |",
        "| a | wet | 3 | 0.3333 |",
    ):
        assert text in card


def test_names_of_a_data_set_are_no_markup():
    label, probability = np.array([0, 1, 2]), np.full((3, 3), 1 / 3)
    strata = pd.DataFrame([["a|b", "*x* `y` <b> _z_ a_b <=5"]], columns=["`label`", "[place](x)"])
    kinds = ("a`b", "``", "*c*")
    card = card_of(spec_of(MULTICLASS, "label", "string", kinds), class_table(label, probability), strata)
    page = MarkdownIt("commonmark").enable("table").render(card)
    assert "(<code>a`b</code>, <code>``</code> or <code>*c*</code>)" in page
    assert "<th>`label`</th>\n<th>[place](x)</th>" in page
    assert "<td>a|b</td>\n<td>*x* `y` &lt;b&gt; _z_ a_b &lt;=5</td>" in page


def test_card_of_many_labels_names_the_first():
    labels = tuple(f"kind {n:02d}" for n in range(30))
    spec = spec_of(MULTICLASS, "label", "string", labels)
    table = class_table(np.arange(30), np.eye(30))
    card = card_of(spec, table, pd.DataFrame(columns=["label", "place", "rows", "predicted right"]))
    assert "`kind 19` or one of 10 other labels) from" in card
    assert "kind 20" not in card


def test_card_of_a_number_shows_it_by_its_size():
    test = number_table(np.array([10_000.0, 30_000.0]), np.array([12_000.0, 28_000.0]))
    columns = ["price", "place", "rows", "mean error", "mean absolute error"]
    strata = pd.DataFrame([["01: up to 20000", "wet", 1, 54321.9, 0.0123456]], columns=columns)
    card = card_of(spec_of(REGRESSION, "price", "double"), test, strata)
    for text in (
        "Predicts `price` from one record. It returns\n`prediction`, a number.",
        "| rmse | 2000.0 | 10,000 |",
        "| r2 | 0.9600 | 0.0000 |",
        "Guessing predicts 20,000, the test rows' mean",
        "| 01: up to 20000 | wet | 1 | 54,322 | 0.012346 |",
    ):
        assert text in card
    assert "probabilit" not in card.partition("## Made from")[0]


def test_strata_of_a_number_are_those_of_the_split(spark):
    rows = [(float(n), "wet", float(n)) for n in range(100)]
    frame = spark.createDataFrame(rows, "x double, place string, price double")
    spec = spec_of(REGRESSION, "price", "double")
    every, _ = with_strata(frame, spec.strata, spec)
    scored, others = frame.where("x < 30 and x != 7"), frame.where("x >= 30 or x = 7")
    table = stratum_scores(Said(F.col("x")), scored, others.select("price", "place", "x"), spec)
    assert table["price"].tolist() == [f"0{n}: {text}" for n, text in enumerate(
        ("up to 9.9", "9.9 to 19.8", "19.8 to 29.7"), 1)]  # fmt: skip
    assert table["rows"].tolist() == [9, 10, 10]
    assert {*table["price"]} < {row[QUANTILE] for row in every.select(QUANTILE).collect()}
