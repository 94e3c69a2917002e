import math

import pytest

from common.champion.gates import OF_ROWS, check_gates, check_task, failed_gates, measure_rows
from common.errors import UserError
from common.learning.metrics import EPSILON, LOWER_IS_BETTER
from common.learning.tasks import ALL_METRICS, TASKS
from common.learning.vectorizer import LABEL
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


@pytest.mark.parametrize("metric", ALL_METRICS)
def test_bound_is_on_the_worse_side_of_every_metric(metric):
    gates = check_gates({metric: 0.5})
    lower = metric in LOWER_IS_BETTER
    assert failed_gates(gates, {metric: 0.4 if lower else 0.6}) == ""
    assert f"at {'most' if lower else 'least'} 0.5" in failed_gates(
        gates, {metric: 0.6 if lower else 0.4}
    )


def test_score_in_the_numbers_unit_is_told_by_its_size():
    found = failed_gates({"rmse": 54321.9, "r2": -0.5}, {"rmse": 1234567.8, "r2": -1.25})
    assert found == (
        "rmse is 1,234,568, at most 54321.9 is required, r2 is -1.250000, at least -0.5 is required"
    )


@pytest.mark.parametrize(
    ("name", "value", "bound", "said"),
    [
        ("f1", 0.8617196, 0.86172, "f1 is 0.8617196, at least 0.86172 is required"),
        ("r2", -1e-9, 0.0, "r2 is -0.000000001, at least 0 is required"),
        ("rmse", 123456.43, 123456.4, "rmse is 123456.43, at most 123456.4 is required"),
        ("rmse", 1.2000000004e-9, 1.2e-9, "rmse is 1.2000000004e-09, at most 1.2e-09 is required"),
        ("roc_auc", 1 - 1e-9, 1.0, "roc_auc is >0.999999, at least 1 is required"),
        (
            "f1",
            0.12345678901,
            0.123456789012,
            "f1 is 0.123456789010, at least 0.123456789012 is required",
        ),
    ],
)
def test_value_that_fails_by_little_does_not_look_as_if_it_met_its_bound(name, value, bound, said):
    """Six digits made `f1 is 0.861720, at least 0.86172 is required` of it."""
    assert failed_gates({name: bound}, {name: value}) == said


@pytest.mark.parametrize("task", TASKS)
def test_task_has_its_metrics_as_gates(task):
    check_task(dict.fromkeys(TASKS[task].metrics, 0.5), task)
    check_task({}, task)


@pytest.mark.parametrize("gate", OF_ROWS)
def test_gates_of_rows_are_of_two_labels_alone(gate):
    check_task({gate: 0.5}, "binary")
    for task in ("multiclass", "regression"):
        with pytest.raises(UserError, match=f"gates asks for {gate}, which task {task} does not have"):
            check_task({gate: 0.5}, task)


def test_gates_that_the_task_lacks_are_named_with_those_it_has():
    with pytest.raises(UserError) as refused:
        check_task({"rmse": 2.0, "roc_auc": 0.9, "f1": 0.5}, "regression")
    assert str(refused.value) == (
        "gates asks for roc_auc, f1, which task regression does not have: its gates are rmse, mae, r2, "
        "median_absolute_error"
    )


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
    return spark.createDataFrame(rows, f"group string, {LABEL} double, probability double")


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
    rows = spark.createDataFrame([(1.0, 0.0)] * 4, f"{LABEL} double, probability double")
    assert measure_rows(rows, [], 4)["stratum_loss"] == pytest.approx(-math.log(EPSILON))
