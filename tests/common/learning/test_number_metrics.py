"""Metrics of a number compared with scikit-learn's and Spark's, also from Spark's table of counts."""

import numpy as np
import pytest
from pyspark.ml.evaluation import RegressionEvaluator
from sklearn import metrics as theirs

from common.data.target import REGRESSION, Target
from common.learning.metrics import shown_score
from common.learning.number_metrics import (
    NUMBER_METRICS,
    number_guess,
    number_scores,
    number_table,
    weighted_median,
    weighted_quantiles,
)
from common.learning.score_table import score_table, score_tables
from common.learning.tasks import guess_scores, labels_of, scores, shown_scores
from common.learning.vectorizer import LABEL

NUMBER = Target(REGRESSION)


def drawn(seed, rows=301, size=100.0):
    draw = np.random.default_rng(seed)
    # Whole numbers, so that there are ties.
    true = draw.integers(0, 40, rows) * size
    return true, true + draw.integers(-5, 6, rows) * size / 4


def expected(true, said):
    several = len(np.unique(true)) > 1
    return {
        "rmse": theirs.root_mean_squared_error(true, said),
        "mae": theirs.mean_absolute_error(true, said),
        "r2": theirs.r2_score(true, said) if several else float("nan"),
        "median_absolute_error": theirs.median_absolute_error(true, said),
    }


@pytest.mark.parametrize("rows", [300, 301, 2])
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_scores_are_those_of_scikit_learn(rows, size):
    true, said = drawn(1, rows, size)
    found = number_scores(number_table(true, said))
    assert tuple(found) == NUMBER_METRICS
    assert found == pytest.approx(expected(true, said), rel=1e-12)


def test_row_with_a_count_is_so_many_rows():
    true, said = drawn(2)
    count = np.arange(len(true)) % 4 + 1
    found = number_scores(number_table(true, said, count))
    assert found == pytest.approx(expected(true.repeat(count), said.repeat(count)), rel=1e-12)


def test_large_numbers_close_together_keep_their_variance():
    true, said = drawn(3, size=1e-3)
    found = number_scores(number_table(true + 1e9, said + 1e9))
    assert found["r2"] == pytest.approx(theirs.r2_score(true, said), rel=1e-3)


@pytest.mark.parametrize("true", [[7.0], [0.1] * 3])
def test_equal_numbers_have_no_share_of_their_variance(true):
    found = number_scores(number_table(np.array(true), np.array(true) + 2))
    assert np.isnan(found.pop("r2"))
    assert found == pytest.approx(dict.fromkeys(("rmse", "mae", "median_absolute_error"), 2))


def test_guessing_is_the_mean_of_the_numbers():
    true, said = drawn(4)
    values, rows = np.unique(true, return_counts=True)
    guess = number_guess(values, rows)
    assert guess == pytest.approx(expected(true, np.full(len(true), true.mean())), abs=1e-9)
    assert guess["r2"] == pytest.approx(0)
    assert guess == pytest.approx(guess_scores(labels_of(number_table(true, said))))


@pytest.mark.parametrize(
    "weights", [[1, 1, 1, 1], [1, 2, 3, 4], [5, 1, 1, 1], [2, 1, 1, 2], [3, 3, 0, 0]]
)
def test_quantiles_are_those_of_rows_that_are_repeated(weights):
    values, weights = np.array([4.0, 1.0, 3.0, 2.0]), np.array(weights)
    rows = np.repeat(values, weights)
    assert weighted_median(values, weights) == np.median(rows)
    shares = (0, 0.1, 0.25, 0.5, 0.9, 1)
    assert weighted_quantiles(values, weights, shares) == pytest.approx(
        [np.quantile(rows, share, method="inverted_cdf") for share in shares]
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *[(54321.9, "54,322"), (1234567.8, "1,234,568"), (123.456, "123.46"), (12.0, "12.000")],
        *[(0.000123456, "0.00012346"), (0.0, "0.0000"), (9999.7, "10,000"), (float("nan"), "nan")],
    ],
)
def test_score_in_the_numbers_unit_has_five_digits(value, shown):
    assert shown_score("rmse", value) == shown
    if value > 0:
        assert shown_score("mae", value, signed=True) == f"+{shown}"
        assert shown_score("mae", -value, signed=True) == f"-{shown}"


def test_share_has_four_decimals_and_more_digits_if_asked():
    assert shown_score("r2", 0.9) == "0.9000"
    assert shown_score("log_loss", 12.34567) == "12.3457"
    assert shown_score("roc_auc", 0.9, 6, signed=True) == "+0.900000"
    assert shown_score("rmse", 1234.5678, 6) == "1234.568"


def test_scores_are_shown_beside_guessing():
    guess = {"rmse": 20000.0, "mae": 15000.0, "r2": 0.0}
    found = {"rmse": 12345.6, "mae": 9876.54, "r2": 0.9}
    assert shown_scores(REGRESSION, found, guess) == (
        "rmse 12,346 (guessing 20,000), mae 9876.5 (guessing 15,000), r2 0.9000 (guessing 0.0000)"
    )


@pytest.fixture(scope="module")
def predictions(spark):
    """Predictions in three parts, the last with numbers that are equal."""
    true, said = drawn(5, 600)
    part = np.arange(600) % 3
    true[part == 2] = 0.1
    rows = [(int(of), float(t), float(p)) for of, t, p in zip(part, true, said, strict=True)]
    frame = spark.createDataFrame(rows, f"part int, {LABEL} double, prediction double").cache()
    return frame, part, true, said


def test_table_of_counts_gives_sparks_and_scikit_learns_scores(predictions):
    frame, _, true, said = predictions
    found = scores(score_table(frame, NUMBER))
    assert found == pytest.approx(expected(true, said), rel=1e-12)
    for name in ("rmse", "mae", "r2"):
        evaluator = RegressionEvaluator(metricName=name, labelCol=LABEL)
        assert found[name] == pytest.approx(evaluator.evaluate(frame), rel=1e-9), name


def test_each_part_has_the_scores_of_its_rows(predictions):
    frame, part, true, said = predictions
    for number, table in enumerate(score_tables(frame, "part", NUMBER)):
        mine = part == number
        found, exact = scores(table), expected(true[mine], said[mine])
        assert found == pytest.approx(exact, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("outlier", [None, 1e9])
def test_rounding_of_many_rows_leaves_all_but_the_median_exact(spark, outlier):
    draw = np.random.default_rng(6)
    true = draw.normal(50, 10, 3000)
    said = true + draw.normal(0, 3, 3000)
    if outlier:
        # One row must not put all others in one cell.
        true[0] = outlier
    frame = spark.createDataFrame(
        np.column_stack([true, said]).tolist(), f"{LABEL} double, prediction double"
    )
    table = score_table(frame, NUMBER, rows=10**9)
    found, exact = scores(table), expected(true, said)
    assert {name: found[name] for name in ("rmse", "mae", "r2")} == pytest.approx(
        {name: exact[name] for name in ("rmse", "mae", "r2")}, rel=1e-9
    )
    assert found["median_absolute_error"] == pytest.approx(exact["median_absolute_error"], rel=0.02)
    guess = guess_scores(labels_of(table))
    of_mean = expected(true, np.full(3000, true.mean()))
    assert guess["rmse"] == pytest.approx(of_mean["rmse"], rel=0.01)
    assert table.count.sum() == 3000


def test_many_rows_of_few_numbers_stay_apart(spark):
    """Three quarters of the numbers are zero, so the quartiles have no distance."""
    rows = [(0.0, 0.0)] * 30 + [(5.0, 4.0)] * 5 + [(1000.0, 900.0)] * 5
    frame = spark.createDataFrame(rows, f"{LABEL} double, prediction double")
    table = score_table(frame, NUMBER, rows=10**9)
    assert sorted(table.count) == [5, 5, 30]
    assert scores(table)["median_absolute_error"] == 0
