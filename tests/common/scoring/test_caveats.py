from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from common.data.repeated import Repeated
from common.data.spec import WEIGHT
from common.data.target import REGRESSION
from common.learning.class_metrics import class_table
from common.learning.metrics import ScoreTable
from common.learning.number_metrics import number_table
from common.scoring.caveats import caveats

NONE = Repeated(0, 1000)


def table(share, said, rows=1000):
    """Rows with a share of the positive label, all with one probability."""
    positive = round(rows * share)
    labels = np.array([1, 0])
    return ScoreTable(
        labels, labels, np.full(2, said), np.array([positive, rows - positive]), np.zeros(2)
    )


def test_model_whose_probability_is_the_share_of_the_label_needs_no_words(spec):
    assert caveats(spec, table(0.24, 0.25), False, NONE) == []


@pytest.mark.parametrize("said", [0.09, 0.0001])
def test_probability_that_is_no_frequency_is_told(spec, said):
    """As that of a support vector machine, or of fits that weigh labels alike."""
    (found,) = caveats(spec, table(0.0113, said, 10_000), False, NONE)
    mean = f"{said:.3g}"
    assert found == (
        f"the probability of >50K is no frequency: its mean on the test rows is {mean}, "
        "and 0.0113 of them have this label"
    )


def test_mean_that_misses_the_share_by_little_is_told_apart_from_it(spec):
    (found,) = caveats(spec, table(0.24, 0.24019, 100_000_000), False, NONE)
    assert found.endswith("its mean on the test rows is 0.2402, and 0.24 of them have this label")


def test_few_rows_prove_nothing_of_a_probability(spec):
    assert caveats(spec, table(0.1, 0.2, 20), False, NONE) == []


def test_probability_of_certainty_that_is_right_is_a_frequency(spec):
    sure = ScoreTable(
        np.array([1, 0]), np.array([1, 0]), np.array([1.0, 0.0]), np.array([3, 7]), np.zeros(2)
    )
    assert caveats(spec, sure, False, NONE) == []


def test_weights_balance_and_repeated_rows_are_told(spec):
    columns = [replace(c, role=WEIGHT) if c.name == "fnlwgt" else c for c in spec.columns]
    weighted = replace(spec, columns=tuple(columns))
    found = caveats(weighted, table(0.24, 0.24), True, Repeated(10, 1000))
    assert found[0] == "fits weigh each row by fnlwgt; all scores count each row once"
    assert "balance=true" in found[1]
    assert found[2].startswith("10 of 1,000 rows have an equal one")
    assert len(caveats(weighted, table(0.24, 0.24), False, Repeated(9, 1000))) == 1


def test_weights_of_which_few_count_are_told(spec):
    columns = [replace(c, role=WEIGHT) if c.name == "fnlwgt" else c for c in spec.columns]
    weighted = replace(spec, columns=tuple(columns))
    _, found = caveats(weighted, table(0.24, 0.24), False, NONE, effective=0.0024)
    assert found == (
        "the weights of fnlwgt are so unequal that 0.2% of the rows, weighed alike, would tell as much"
    )
    assert len(caveats(weighted, table(0.24, 0.24), False, NONE, effective=0.1)) == 1


@pytest.mark.parametrize(
    ("zero", "unit", "said"),
    [
        (0, 1, None),
        (2000, 0.01, None),
        (0, 0.001, "they are spread by 0.001; give them in a smaller unit, or take another learner"),
        (1.7e9, 1, "they are 1.7e+09 on average and spread by 1; subtract a constant from all"),
        (-1.7e9, 1, "they are -1.7e+09 on average and spread by 1; subtract a constant from all"),
        (5, 0, None),
    ],
)
def test_numbers_of_which_xgboost_learns_little_are_told(spec, zero, unit, said):
    numbers = number_table(zero + unit * np.array([-1.0, 1.0] * 50), np.full(100, float(zero)))
    found = caveats(spec, numbers, False, NONE, "xgboost")
    assert found == (
        [] if said is None else [f"XGBoost learns little of numbers like those of income: {said}"]
    )
    assert caveats(spec, numbers, False, NONE, "gbt") == []


def nearly(wrong, rows=1000, guessed=240):
    """A table of two labels, of which guessing misses some rows, with this many wrong predictions."""
    label = np.array([1, 0, 1])
    prediction = np.array([1, 0, 0])
    count = np.array([guessed - wrong, rows - guessed, wrong])
    return ScoreTable(label, prediction, prediction.astype(float), count, np.zeros(3))


def told(spec, test, importance):
    every = caveats(spec, test, False, NONE, importance=pd.Series(importance))
    return [one for one in every if "known only once" in one]


def test_column_that_tells_the_label_outright_is_asked_about(spec):
    (found,) = told(spec, nearly(2), {"status, code": 0.996, "age": 0.004})
    assert found == (
        ">99% of the importance is that of status, code, and 0.8% of guessing's errors are left: if "
        "status, code is known only once income is, no new row will be scored as well; leave it out by "
        'drop: ["status, code"] in a data set\'s YAML'
    )


@pytest.mark.parametrize(
    ("test", "importance"),
    [
        (nearly(3), {"status_code": 0.996, "age": 0.004}),
        (nearly(0), {"status_code": 0.89, "age": 0.11}),
        # So few errors of guessing that none may be left by chance.
        (nearly(0, 60, 19), {"status_code": 1.0}),
        (nearly(0, 60, 0), {"status_code": 1.0}),
        (nearly(2), {}),
        (nearly(2), {"status_code": 0.0}),
    ],
)
def test_good_model_of_several_columns_or_few_rows_is_not_asked_about(spec, test, importance):
    assert told(spec, test, importance) == []


def test_column_that_tells_one_of_several_labels_or_a_number_is_asked_about(spec):
    label = np.arange(300) % 3
    several = class_table(label, np.eye(3)[label])
    (found,) = told(spec, several, {"tier": 1.0})
    assert found.startswith("100% of the importance is that of tier, and 0.0% of guessing's errors")
    numbers = np.arange(100.0)
    of_number = replace(spec, task=REGRESSION, labels=())
    (found,) = told(of_number, number_table(numbers, numbers + 1), {"with_tax": 0.97, "age": 0.03})
    assert found.startswith(
        "97% of the importance is that of with_tax, and 0.1% of guessing's squared errors are left: if "
    )
    assert told(of_number, number_table(numbers, numbers + 5), {"with_tax": 0.97}) == []
