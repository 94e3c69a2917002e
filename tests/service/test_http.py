"""A served model over HTTP: every form of request, what is refused, and no error of the server's own."""

import json
import math

import mlflow
import pandas as pd
import pytest

# What the README says of a value; each in the column that it is wrong for.
WRONG = [
    *(
        ("age", value)
        for value in (39.7, "39", True, None, math.nan, math.inf, 1e300, 2**63, 2**64, [39])
    ),
    *(("age", value) for value in ({"a": 1}, "")),
    *(("sex", value) for value in (5, 1.5, True, ["Male"], {"a": 1}, " Male", "\ud800")),
]
FORMS = {
    "dataframe_split": lambda rows: {
        "columns": list(rows[0]),
        "data": [list(row.values()) for row in rows],
    },
    "dataframe_records": lambda rows: rows,
    "instances": lambda rows: rows,
    "inputs": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
}
every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(scope="module")
def rows(champion):
    return champion.rows.to_dict("records")


def body(form, rows):
    return json.dumps({form: FORMS[form](rows)})


def expect_scores(answer, model, rows):
    """The answer's scores are those of the model in this process, to the last bit."""
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
    expect_scores(service.post(body(form, changed)), champion.model, changed)
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
