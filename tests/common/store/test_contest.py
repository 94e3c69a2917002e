from dataclasses import replace

import mlflow
import pytest

from common.data.spec import CATEGORY, IGNORED, NUMERIC, Column
from common.store.contest import _is_value, _other_currencies, _unlike, measure
from tests.specs import labelled


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [("$", "EUR", ["price"]), ("$", "$", []), ("$", "", []), ("", "EUR", []), ("", "", [])],
)
def test_amounts_of_two_versions_are_compared_unless_their_currencies_differ(ours, theirs, differ):
    one, other = (
        labelled(Column("price", "currency", NUMERIC, unit=unit), Column("n", "integer", NUMERIC))
        for unit in (ours, theirs)
    )
    assert _other_currencies(one, other) == differ


def test_versions_are_compared_if_their_models_see_the_same_columns_in_any_order():
    price, kind = Column("price", "double", NUMERIC), Column("kind", "text", CATEGORY)
    one = labelled(price, kind)
    assert _unlike(one, labelled(kind, price)) is None
    assert _unlike(one, labelled(Column("exported", "date", IGNORED), price, kind)) is None


def test_what_differs_between_two_versions_is_named():
    price, kind = Column("price", "double", NUMERIC), Column("kind", "text", CATEGORY)
    one = labelled(price, kind)
    others = {
        "column 'kind' is text, category to one and no input to the other": labelled(price),
        "column 'extra' is no input to one and integer, numeric to the other": labelled(
            price, kind, Column("extra", "integer", NUMERIC)
        ),
        "column 'kind' is text, category to one and integer, category to the other": labelled(
            price, replace(kind, type="integer")
        ),
        "one predicts 'y' and the other 'z'": replace(one, label="z"),
        "the labels of 'y' differ": replace(one, labels=("a", "c")),
    }
    for said, other in others.items():
        assert _unlike(one, other) == said


@pytest.mark.parametrize(
    ("marker", "is_value"), [("W", True), ("NA", False), ("-999", True), ("-999.0", True), ("7", False)]
)
def test_mark_of_missing_values_matters_where_it_is_a_value_to_the_other_version(spark, marker, is_value):
    """A retrain whose file is the first to have a mark can be compared."""
    spec = labelled(Column("price", "double", NUMERIC), Column("the.kind", "string", CATEGORY))
    rows = spark.createDataFrame([(-999.0, "E"), (1.5, "W"), (None, None)], ["price", "the.kind"])
    assert _is_value(marker, rows, spec) == is_value


def test_gates_ask_about_what_the_model_predicts_at_its_threshold(store):
    values = {"val_recall": 0.6, "at_threshold_recall": 0.8, "val_roc_auc": 0.9, "val_rmse": 3.0}
    with mlflow.start_run() as run:
        mlflow.log_metrics(values)
    search = mlflow.get_run(run.info.run_id)
    found = measure(search, {"recall": 0.7, "roc_auc": 0.5, "rmse": 4.0}, lambda: pytest.fail("no Spark"))
    assert found == {"recall": 0.8, "roc_auc": 0.9, "rmse": 3.0}
