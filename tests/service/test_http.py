"""A served model over HTTP: every form of request, what is refused, and no internal errors.

Every request is also sent to the server of `mlflow models serve`, which must answer it alike.
"""

import json
import math

import mlflow
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.data.reading import read_rows
from tests.forms import FORMS
from tests.service.served import MLFLOWS, Twins

# The invalid values in docs/data.md, each in a column that refuses it.
WRONG = [
    *(
        ("age", value)
        for value in (39.7, "39", True, None, math.nan, math.inf, 1e300, 2**63, 2**64, [39])
    ),
    *(("age", value) for value in ({"a": 1}, "")),
    *(("sex", value) for value in (1.5, ["Male"], {"a": 1}, "\ud800")),
]
every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(scope="module")
def service(service, start):
    return Twins(service, start(*MLFLOWS, PYTHONHASHSEED="0"))


@pytest.fixture(scope="module")
def rows(champion):
    return champion.rows.to_dict("records")


def body(form, rows):
    return json.dumps({form: FORMS[form](rows)})


def expect_scores(answer, model, rows):
    """The scores equal those of the model in this process, to the last bit."""
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"predictions": model.predict(pd.DataFrame(rows)).to_dict("records")}


@pytest.mark.parametrize(
    ("path", "text"), [("ping", ""), ("health", ""), ("version", mlflow.__version__)]
)
def test_service_tells_that_it_is_well(service, path, text):
    answer = service.session.get(f"{service.url}/{path}")
    assert (answer.status_code, answer.text.strip()) == (200, text)


@every_form
def test_json_is_scored_as_in_process(service, champion, rows, form):
    expect_scores(service.post(body(form, rows)), champion.model, rows)


def test_csv_is_scored_as_in_process(service, champion, rows):
    expect_scores(service.post(champion.rows.to_csv(index=False), "text/csv"), champion.model, rows)


def test_parquet_is_scored_as_in_process(service, champion, rows):
    answer = service.post(champion.rows.to_parquet(), "application/vnd.apache.parquet")
    expect_scores(answer, champion.model, rows)


@every_form
def test_column_more_and_another_order_change_nothing(service, champion, rows, form):
    turned = [{"more": None, **dict(reversed(row.items()))} for row in rows]
    expect_scores(service.post(body(form, turned)), champion.model, rows)


@every_form
def test_what_training_never_saw_is_scored_as_in_process(service, champion, rows, form):
    changed = [{**rows[0], "sex": "x"}, {**rows[1], "sex": None}, {**rows[2], "age": -5}]
    changed.append({**rows[3], "sex": "true"})
    asked = [*changed[:3], {**rows[3], "sex": True}]
    expect_scores(service.post(body(form, asked)), champion.model, changed)
    whole = [{**rows[0], "age": 39.0}]
    expect_scores(service.post(body(form, whole)), champion.model, [{**rows[0], "age": 39}])


@every_form
@pytest.mark.parametrize(("column", "value"), WRONG)
def test_wrong_value_is_refused_with_its_row_and_column(service, rows, form, column, value):
    answer = service.post(body(form, [rows[0], {**rows[1], column: value}, rows[2]]))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    assert f"row 2 of 3: column '{column}' is " in answer.json()["message"]


@every_form
def test_missing_column_is_refused_by_name(service, rows, form):
    without = [{name: value for name, value in row.items() if name != "age"} for row in rows]
    answer = service.post(body(form, without))
    assert answer.status_code == 400
    assert "age" in answer.json()["message"]


@pytest.mark.parametrize("value", ["39.7", "x", "True", "", "inf", "1e300", "9223372036854775808"])
def test_wrong_csv_is_refused_with_its_row_and_column(service, champion, value):
    header, first, second, *_ = champion.rows.to_csv(index=False).splitlines()
    line = ",".join([value, *second.split(",")[1:]])
    answer = service.post("\n".join([header, first, line, ""]), "text/csv")
    assert answer.status_code == 400
    assert "row 2 of 2: column 'age' is " in answer.json()["message"]


def test_empty_batch_has_no_scores(service, champion):
    columns = list(champion.rows.columns)
    answers = [
        service.post(json.dumps({"dataframe_split": {"columns": columns, "data": []}})),
        service.post(json.dumps({"dataframe_records": []})),
        service.post(json.dumps({"inputs": {name: [] for name in columns}})),
        service.post(",".join(columns) + "\n", "text/csv"),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"predictions": []})] * 4


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        ("", "application/json", 400),
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("null", "application/json", 400),
        ("{}", "application/json", 400),
        ('{"dataframe_split": {}, "inputs": {}}', "application/json", 400),
        ('{"dataframe_split": null}', "application/json", 400),
        ('{"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}', "application/json", 400),
        ('{"dataframe_split": {"columns": ["age"], "data": null}}', "application/json", 400),
        ('{"dataframe_records": [1]}', "application/json", 400),
        ('{"instances": [[1, 2]]}', "application/json", 400),
        ('{"inputs": 5}', "application/json", 400),
        ('{"inputs": {"age": [1], "sex": []}}', "application/json", 400),
        ('{"messages": [{"role": "user", "content": "x"}]}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("", "text/csv", 400),
        ("\0", "text/csv", 400),
        (b"\xff\xfe", "text/csv", 400),
        ("x", "application/vnd.apache.parquet", 400),
        ("{}", "text/plain", 415),
        ("{}", "application/json; charset=latin-1", 415),
        ("{}", None, 415),
    ],
)
def test_body_that_is_no_table_is_refused(service, data, content_type, status):
    answer = service.post(data, content_type)
    assert answer.status_code == status, answer.text
    assert answer.text


# A row of that table, or any other JSON value.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def malformed_bodies(draw, rows):
    """A valid body with something in it changed, or another body altogether."""
    form = draw(st.sampled_from([*FORMS, "nothing"]))
    if form == "nothing":
        return json.dumps(draw(ANYTHING))
    few = [dict(row) for row in rows[: draw(st.integers(1, 3))]]
    row, name = draw(st.integers(0, len(few) - 1)), draw(st.sampled_from(list(few[0])))
    how = draw(st.sampled_from(["value", "column", "table", "part", "cut"]))
    if how == "value":
        few[row][name] = draw(ANYTHING)
    elif how == "column":
        other = draw(st.text(max_size=4))
        for one in few:
            one[other] = one.pop(name)
    table = FORMS[form](few)
    if how == "table":
        table = draw(ANYTHING)
    elif how == "part" and isinstance(table, dict):
        table[draw(st.sampled_from([*table, "index", "more"]))] = draw(ANYTHING)
    body = json.dumps({form: table})
    return body[: draw(st.integers(0, len(body) - 1))] if how == "cut" else body


@pytest.mark.slow
def test_no_malformed_body_is_a_servers_error_or_silently_scored(service, champion, rows):
    """500 bodies; those that are accepted get the scores of the rows that they contain."""

    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(malformed_bodies(rows))
    def ask(body):
        answer = service.post(body)
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 200:
            given_rows = records(json.loads(body))
            frame = pd.DataFrame(given_rows, columns=list(champion.rows.columns), dtype=object)
            read = read_rows(frame, champion.form)
            assert read.good.all()
            expected = champion.model.predict(pd.DataFrame(read.values))
            assert answer.json()["predictions"] == expected.to_dict("records")

    ask()


def records(body):
    """Return the rows of a body in any form."""
    ((form, table),) = ((form, table) for form, table in body.items() if form in FORMS)
    if form == "dataframe_split":
        return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    if isinstance(table, dict):
        columns = {
            name: values if isinstance(values, list) else [values] for name, values in table.items()
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return table
