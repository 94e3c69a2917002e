import json
import re

import numpy as np
from pyspark.sql import functions as F

from common.learning.metrics import ScoreTable
from common.scoring.card import model_card, stratum_scores
from common.scoring.export import Agreement

KNOWN = {
    "age": {"least": 17.0, "most": 90.0},
    "education-num": {"categories": [str(number) for number in range(1, 17)], "capped": False},
}


def test_strata_have_their_rows_and_shares(fit_pipeline, spec, people):
    pipeline = fit_pipeline("logistic_regression", "index")
    table = stratum_scores(pipeline, people, spec)
    assert list(table.columns[:4]) == ["income", "sex", "rows", "predicted right"]
    counts = people.groupBy("income", "sex").count().orderBy("income", "sex").toPandas()
    assert table["rows"].tolist() == counts["count"].tolist()
    scored = pipeline.transform(people)
    right = scored.where("prediction = income").count()
    assert abs((table["rows"] * table["predicted right"]).sum() - right) < 1e-6
    positive = scored.where(F.col("prediction") == ">50K").count()
    assert abs((table["rows"] * table["predicted >50K"]).sum() - positive) < 1e-6


def test_card_says_what_it_is_how_good_and_how_it_is_used(fit_pipeline, spec, people, sample_rows):
    strata = stratum_scores(fit_pipeline("logistic_regression", "index"), people, spec)
    example = sample_rows.head(2)[[column.name for column in spec.inputs]]
    example = example.assign(occupation=["farmer's", "a"])
    card = model_card(
        spec,
        "gbt",
        {"maxDepth": 3},
        {"training": "abc", "test": "def"},
        ScoreTable(*np.array([[1, 1, 0.9, 140, 14.8], [1, 0, 0.1, 90, 207], [0, 0, 0.1, 9770, 1029]]).T),
        strata,
        Agreement(rows=9770, labels=0, numbers=0, largest=3e-16, refused=0),
        example,
        {"columns": {column.name: KNOWN.get(column.name, {}) for column in spec.inputs}},
    )
    for text in (
        "# adult: income",
        "maxDepth=3",
        "digest `abc`",
        "| metric | value | guessing |",
        "| accuracy | 0.9910 | 0.9770 |",
        "| f1 | 0.7568 | 0.0000 |",
        "Guessing\npredicts `<=50K` for every row, with the probability 0.0230 of `>50K`",
        "On 9,770 test rows",
    ):
        assert text in card
    assert "| <=50K | Female |" in card
    assert "| age | integer | no | 17 to 90 |" in card
    assert "| education-num | integer | yes; never in training | 16 categories |" in card
    body = re.search(r"-d '(.*)'\n", card)[1].replace("'\\''", "'")
    assert json.loads(body)["dataframe_split"]["columns"] == list(example.columns)
