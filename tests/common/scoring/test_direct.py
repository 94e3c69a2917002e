"""Requests answered without pandas: the answer is MLflow's to the byte, or is left to MLflow's server."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import scoring_server

from common.data import reading
from common.data.reading import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
    Form,
    read_rows,
)
from common.scoring.serving import Batch, Counter, Direct
from tests.forms import FORMS

GOOD = {"age": 39, "pay-rate": 2.5, "job": "Clerk"}


@pytest.fixture(scope="module")
def model(tiny_model):
    return mlflow.pyfunc.load_model(str(tiny_model))


def directly(model, body):
    return model.unwrap_python_model().answer(
        body if isinstance(body, bytes) else json.dumps(body).encode()
    )


def by_mlflow(model, body):
    schema = model.metadata.get_input_schema()
    return scoring_server.invocations(
        json.dumps(body), "application/json", model, schema
    ).response.encode()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [1, 5, 501])
def test_answer_is_that_of_mlflows_server(model, form, rows):
    strange = {"age": 2.0, "pay-rate": 3, "job": None, "more": {"a": [1]}}
    body = {form: FORMS[form]([{**GOOD, "more": 1}, strange, {**GOOD, "more": None}] * rows)}
    answer = directly(model, body)
    assert answer == by_mlflow(model, body)
    assert len(json.loads(answer)["predictions"]) == 3 * rows


def test_one_record_as_inputs_and_an_index_are_answered(model):
    split = FORMS["dataframe_split"]([GOOD])
    for body in ({"inputs": GOOD}, {"dataframe_split": {**split, "index": [7]}}):
        assert directly(model, body) == by_mlflow(model, body) is not None


SPLIT = {"columns": list(GOOD), "data": [list(GOOD.values())]}


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"{",
            b"[" * 100_000,
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{}",
            b'{"instances": 1e400}',
            b"1" * 5000,
        ),
        *({"instances": table} for table in ([], {}, None, 5, [5], [[39, 2.5, "x"]], [GOOD, None], GOOD)),
        *({"inputs": table} for table in ({}, {**GOOD, "age": [39]}, {n: [] for n in GOOD}, 5)),
        {"inputs": {**{name: [value] for name, value in GOOD.items()}, "more": [1, 2]}},
        *(
            {"instances": [{**GOOD, "age": age}]}
            for age in (39.7, "39", True, None, 2**63, [39], {}, 1e300)
        ),
        *(
            {"instances": [{**GOOD, "pay-rate": rate}]}
            for rate in (None, float("nan"), float("inf"), "2.5")
        ),
        *({"instances": [{**GOOD, "job": job}]} for job in (1.5, [], "\ud800")),
        {"instances": [{"age": 39, "job": "Clerk"}]},
        {"instances": [GOOD], "params": {}},
        {"instances": [GOOD], "inputs": [GOOD]},
        {"messages": [GOOD]},
        *(
            {"dataframe_split": split}
            for split in (None, [], {}, {**SPLIT, "more": 1}, {**SPLIT, "data": []})
        ),
        *(
            {"dataframe_split": {**SPLIT, "data": data}}
            for data in (None, [[39, 2.5]], [[1, 2.5, "a", 1]], 5)
        ),
        {"dataframe_split": {"columns": [*GOOD, "age"], "data": [[39, 2.5, "Clerk", 39]]}},
        {"dataframe_split": {"columns": [*GOOD, ["age"]], "data": [[39, 2.5, "Clerk", 39]]}},
        {"dataframe_split": {"columns": "abc", "data": [[39, 2.5, "Clerk"]]}},
        {"dataframe_split": {"columns": ["age", "job", "x"], "data": [[39, 2.5, "Clerk"]]}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_is_not_a_table_of_good_records_is_left_to_mlflows_server(model, body):
    assert directly(model, body) is None


KINDS = {
    "whole": INTEGER,
    "real": DOUBLE,
    "share": PERCENT,
    "money": CURRENCY,
    "is": BOOLEAN,
    "day": DATE,
    "at": TIMESTAMP,
    "text": TEXT,
}
# Every kind, all of them optional, one under another name in its files, and with a number as a marker.
FORM = Form(KINDS, frozenset(KINDS), missing=("?", "-999"), decimal=",", renamed={"real": "Real no."})
VALUES = {
    "whole": [0, -0.0, 5.0, -(2**63) + 1, 2**63 - 1, None, -999, "?", " ", float("nan")],
    "real": [1, -0.0, 1e300, 2**70, None, -999.0, " ? ", -999],
    "share": [0.5, "12,5 %", "-999", "7%", None, ""],
    "money": [3, "$1.200,50", "(5 EUR)", "-999", "-1", None, "?"],
    "is": [True, False, "yes", "N", 0, 1, None, " TRUE ", "?"],
    "day": ["2024-02-29", "0001-01-01", "9999/12/31", "2024-02-29T00:00:00Z", None, "?"],
    "at": ["2024-02-29 12:00:00.000001", "1969-12-31T23:59:59+01:00", "2024-02-29", None, ""],
    "text": ["a", " b ", "TRUE", True, 5, "", None, "?", "-999", "ü"],
}


def test_amount_in_another_currency_is_left_to_mlflows_server():
    direct = Direct(reading, Form({"money": CURRENCY}, units={"money": "€"}))
    assert direct.read(b'{"instances": [{"money": "3 \u20ac"}, {"money": 4}]}')["money"].tolist() == [
        3,
        4,
    ]
    assert direct.read(b'{"instances": [{"money": "$3"}]}') is None


def test_form_of_a_model_that_knew_no_currencies_is_read():
    told = json.loads(Form({"money": CURRENCY}).to_json())
    del told["units"]
    assert Form.from_json(json.dumps(told)).units == {}


@pytest.mark.parametrize("name", KINDS)
def test_values_of_every_kind_are_read_by_the_rules(name):
    direct = Direct(reading, FORM)
    usual = {other: values[0] for other, values in VALUES.items()}
    rows = [{**usual, name: value} for value in VALUES[name]]
    named = [{"Real no." if n == "real" else n: v for n, v in row.items()} for row in rows]
    expected = read_rows(pd.DataFrame(rows, columns=list(KINDS), dtype=object), FORM)
    assert expected.good.all(), expected.reasons
    for table in (rows, named):
        found = direct.read(json.dumps({"instances": table}).encode())
        assert list(found) == list(KINDS)
        for column, values in expected.values.items():
            is_time = values.dtype.kind == "M"
            np.testing.assert_array_equal(found[column], values.view(np.int64) if is_time else values)
            assert found[column].dtype == (np.int64 if is_time else values.dtype)


def test_marker_that_a_boolean_is_read_as_is_left_to_mlflows_server():
    direct = Direct(reading, Form({"text": TEXT}, missing=("true",)))
    assert direct.read(b'{"instances": [{"text": "a"}]}') is None


def test_values_without_a_feature_of_their_own_are_counted_by_column():
    categories = {
        "whole": ["5", "(missing)"],
        "real": ["0.5", "1.0E22", "(missing)"],
        "is": ["true"],
        "day": ["2024-02-29"],
        "at": ["2024-02-29 12:00:00.5", "(missing)"],
        "text": ["a", "(missing)"],
    }
    known = {"columns": {"share": {}, **{name: {"categories": c} for name, c in categories.items()}}}
    for name in ("whole", "real", "day"):
        known["columns"][name]["missing"] = 0.1
    known["columns"]["text"]["missing"] = 0.0
    told = []
    counter = Counter(reading, FORM, known, told.append)
    no = reading.NO_INTEGER
    noon = 1_709_208_000_000_000
    values = {
        "whole": np.array([5, 6, no]),
        "real": np.array([1e22, 0.4, np.nan]),
        "is": np.array(["true", "false", ""], object),
        "day": np.array([noon - reading.DAY // 2, 0, no]),
        "at": np.array([noon + 500_000, noon, no]),
        "text": np.array(["a", "(missing)", ""], object),
    }
    counter.count(values, np.array(["x", "y", "x"], object))
    counter.count(values, np.array([1.5, 2.5, 3.5]))
    unseen = {"whole": 1, "real": 1, "is": 2, "day": 2, "at": 1, "text": 0}
    missing = {"whole": 1, "real": 1, "day": 1}
    assert told == [Batch(3, unseen, {"x": 2, "y": 1}, missing), Batch(3, unseen, {}, missing)]


def test_model_tells_what_it_scores_both_ways(tiny_model):
    model = mlflow.pyfunc.load_model(str(tiny_model))
    told = []
    model.unwrap_python_model().observe(model.metadata.metadata, told.append)
    rows = [GOOD, {**GOOD, "job": "never seen"}]
    body = {"instances": rows}
    assert directly(model, body) == by_mlflow(model, body)
    model.predict(pd.DataFrame(rows))
    assert told == [Batch(2, {"job": 1}, {"yes": 1, "no": 1}, {})] * 3
