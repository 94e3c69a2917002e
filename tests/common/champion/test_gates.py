import math

import pytest

from common.champion.gates import check_gates, failed_gates, measure_rows
from common.errors import UserError
from common.learning.metrics import EPSILON
from common.store.conf import load_gates


def test_bound_of_a_metric_is_the_least_and_of_a_loss_the_most():
    gates = {"roc_auc": 0.9, "log_loss": 0.3, "stratum_loss": 1.0, "calibration_error": 0.05}
    kept = {"roc_auc": 0.9, "log_loss": 0.3, "stratum_loss": 1.0, "calibration_error": 0.05}
    assert failed_gates(gates, kept) == ""
    for name, worse in (("roc_auc", 0.89), ("log_loss", 0.31), ("stratum_loss", 1.1)):
        assert failed_gates(gates, {**kept, name: worse}).startswith(f"{name} is {worse:.6f}, at ")


def test_all_that_fails_is_told_and_what_is_no_number_fails():
    found = failed_gates({"f1": 0.6, "log_loss": 0.3}, {"f1": 0.5, "log_loss": math.nan})
    assert found == ("f1 is 0.500000, at least 0.6 is required, log_loss is nan, at most 0.3 is required")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"f2": 0.5}, "gates contains 'f2', which is not one of roc_auc, "),
        ({"f1": "high"}, "gates needs a number for f1, got 'high'"),
        ({"f1": True}, "gates needs a number for f1, got True"),
        ({"f1": math.inf}, "gates needs a number for f1, got inf"),
    ],
)
def test_gate_that_is_none_is_refused(content, message):
    with pytest.raises(UserError, match=message):
        check_gates(content)


def test_gates_are_none_a_name_or_json():
    assert load_gates("none") == {}
    assert load_gates('{"f1": 0.6}') == {"f1": 0.6}
    assert set(load_gates("example")) == {"roc_auc", "calibration_error", "stratum_loss"}
    with pytest.raises(UserError, match="gates 'strict' is unknown: give one of example"):
        load_gates("strict")


@pytest.fixture(scope="module")
def said(spark):
    """Group `a` is predicted correctly with probability 0.9, group `b` with 0.2."""
    rows = [("a", 1.0, 0.9)] * 30 + [("a", 0.0, 0.1)] * 50 + [("b", 1.0, 0.2)] * 20
    return spark.createDataFrame(rows, "group string, label double, probability double")


def test_loss_of_the_worst_stratum_is_measured(said):
    found = measure_rows(said, ["group"], 100)
    assert found["stratum_loss"] == pytest.approx(-math.log(0.2))
    over_all = measure_rows(said, [], 100)["stratum_loss"]
    assert over_all == pytest.approx(-(80 * math.log(0.9) + 20 * math.log(0.2)) / 100)


def test_calibration_error_is_the_average_difference_of_said_and_seen(said):
    # Predicted and observed: 0.1 and 0 on 50 rows, 0.2 and 1 on 20 rows, 0.9 and 1 on 30 rows.
    expected = (50 * 0.1 + 20 * 0.8 + 30 * 0.1) / 100
    assert measure_rows(said, ["group"], 100)["calibration_error"] == pytest.approx(expected)


def test_loss_of_a_row_that_was_ruled_out_is_large_and_finite(spark):
    rows = spark.createDataFrame([(1.0, 0.0)] * 4, "label double, probability double")
    assert measure_rows(rows, [], 4)["stratum_loss"] == pytest.approx(-math.log(EPSILON))
