"""The portable model through MLflow's own interfaces: which rows it accepts, and its messages."""

import json
import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc import scoring_server
from mlflow.types import ColSpec, DataType, Schema

from common.data.reading import DOUBLE, INTEGER, Form, Unreadable, find_keys
from common.scoring.serving import Scorer
from common.scoring.serving.forms import parse_json
from tests.forms import FORMS
from tests.tiny_model import COLUMNS, TYPES, pipeline

GOOD = {"age": 39, "pay-rate": 2.5, "job": "Clerk"}


@pytest.fixture(scope="module")
def model(tiny_model):
    return mlflow.pyfunc.load_model(str(tiny_model))


def post(model, body, content_type="application/json"):
    text = body if isinstance(body, str) else json.dumps(body)
    return scoring_server.invocations(text, content_type, model, model.metadata.get_input_schema())


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_json_is_scored(model, form):
    rows = [GOOD, {**GOOD, "job": "never seen"}, {**GOOD, "age": 2.0}, {**GOOD, "pay-rate": 3}]
    answer = json.loads(post(model, {form: FORMS[form](rows)}).response)["predictions"]
    assert [row["probability"] for row in answer] == [97.5, -1.0, 5.0, 117.0]
    assert [row["prediction"] for row in answer] == ["yes", "no", "yes", "yes"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("age", value) for value in (39.7, "39", True, None, 1e300, 2**63, 2**64, [1], {"a": 1})),
        *(("pay-rate", value) for value in ("2.5", True, None, float("nan"), float("inf"), [1.0])),
        *(("job", value) for value in (1.5, ["a"], {"a": 1}, "\ud800")),
    ],
)
def test_value_of_another_type_is_refused_by_name_in_every_form(model, form, column, value):
    body = {form: FORMS[form]([GOOD, {**GOOD, column: value}, GOOD])}
    with pytest.raises(MlflowException, match=f"row 2 of 3: column '{column}' is ") as error:
        post(model, body)
    assert error.value.get_http_status_code() == 400


@pytest.mark.parametrize("form", FORMS)
def test_column_that_is_missing_is_refused_by_name(model, form):
    row = {name: value for name, value in GOOD.items() if name != "pay-rate"}
    with pytest.raises(MlflowException, match="pay-rate") as error:
        post(model, {form: FORMS[form]([row, row])})
    assert error.value.get_http_status_code() == 400


@pytest.mark.parametrize("form", FORMS)
def test_extra_column_is_ignored_and_a_null_text_is_a_category_never_seen(model, form):
    rows = [{**GOOD, "income": "x"}, {**GOOD, "income": None, "job": None}]
    answer = json.loads(post(model, {form: FORMS[form](rows)}).response)["predictions"]
    assert [row["probability"] for row in answer] == [97.5, -1.0]


@pytest.mark.parametrize("form", ["dataframe_records", "instances"])
def test_column_that_is_missing_in_one_record_is_no_null(model, form):
    row = {name: value for name, value in GOOD.items() if name != "job"}
    with pytest.raises(MlflowException, match="row 2 of 2: column 'job' is missing"):
        post(model, {form: [GOOD, row]})


@pytest.mark.parametrize(
    "data", [None, {}, [[39, 2.5, "Clerk"], [39, 2.5]], [[39, 2.5, "Clerk", 1]], [5]]
)
def test_split_whose_rows_have_not_a_value_each_column_is_refused(model, data):
    with pytest.raises(MlflowException, match="dataframe_split is not a table") as error:
        post(model, {"dataframe_split": {"columns": list(COLUMNS), "data": data}})
    assert error.value.get_http_status_code() == 400


def test_one_record_may_be_given_as_inputs(model):
    answer = json.loads(post(model, {"inputs": GOOD}).response)["predictions"]
    assert [row["probability"] for row in answer] == [97.5]


def test_model_of_another_signature_is_read_by_the_servers_own_rules(model, tmp_path):
    class Echo(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input

    schema = ModelSignature(inputs=Schema([ColSpec(DataType.integer, "age")]))
    mlflow.pyfunc.save_model(str(tmp_path / "echo"), python_model=Echo(), signature=schema)
    other = mlflow.pyfunc.load_model(str(tmp_path / "echo"))
    assert json.loads(post(other, {"inputs": [{"age": 39.7}]}).response)["predictions"] == [{"age": 39}]


def test_empty_batch_has_an_empty_answer(model):
    split = {"dataframe_split": {"columns": list(COLUMNS), "data": []}}
    assert json.loads(post(model, split).response) == {"predictions": []}
    empty = pd.DataFrame({name: pd.Series([], dtype=t.to_pandas()) for name, t in TYPES.items()})
    assert list(model.predict(empty).columns) == ["prediction", "probability"]
    assert json.loads(post(model, {"dataframe_records": []}).response) == {"predictions": []}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("39.7,2.5,Clerk", "row 2 of 2: column 'age' is 39.7"),
        ("9223372036854775808,2.5,Clerk", "row 2 of 2: column 'age' is 9223372036854775808"),
        ("x,2.5,Clerk", "row 2 of 2: column 'age' is 'x'"),
        ("True,2.5,Clerk", "column 'age' is 'True'"),
        (",2.5,Clerk", "column 'age' is null"),
        ("39,,Clerk", "column 'pay-rate' is null"),
        ("39,x,Clerk", "column 'pay-rate' is 'x'"),
        ("39,2.5,Clerk,5,6,7", "row 2 of 2: has 6 fields, expected 3"),
        ('39,2.5,"Clerk"x', "row 2 of 2: has text between a closing quote"),
        ('39,2.5,"Clerk', "the CSV line 3 opens a quote that is not closed"),
    ],
)
def test_bad_csv_is_refused_by_name(model, line, said):
    with pytest.raises(MlflowException, match=said) as error:
        post(model, f"age,pay-rate,job\n39,2.5,Clerk\n{line}\n", "text/csv")
    assert error.value.get_http_status_code() == 400


def test_csv_is_scored(model):
    answer = post(model, "age,pay-rate,job\n39,2.5,Clerk\n2,1,\n", "text/csv")
    assert [row["probability"] for row in json.loads(answer.response)["predictions"]] == [97.5, -1.0]


def test_frame_is_scored_under_its_own_index(model):
    frame = pd.DataFrame([GOOD, GOOD], index=["a", "b"])
    assert model.predict(frame).index.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("age", [39.7, 40.0]),
        ("age", [True, False]),
        ("age", ["39", "40"]),
        ("pay-rate", [2.5, np.inf]),
        ("pay-rate", [np.nan, 2.5]),
    ],
)
def test_frame_of_other_types_is_refused_by_name(model, column, values):
    frame = pd.DataFrame([GOOD, GOOD]).assign(**{column: values})
    with pytest.raises(MlflowException, match=column) as error:
        model.predict(frame)
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("age", [39.0, 40.0]),
        ("age", np.array([39, 40], np.int8)),
        ("pay-rate", [3, 4]),
        ("pay-rate", np.array([3, 4], np.float32)),
        ("job", [5, 6]),
        ("job", [True, False]),
        ("job", [np.nan, np.nan]),
        ("job", pd.Categorical(["Clerk", "Cook"])),
        ("job", pd.array(["Clerk", None], "string")),
    ],
)
def test_frame_as_pandas_reads_a_file_is_scored(model, column, values):
    frame = pd.DataFrame([GOOD, GOOD]).assign(**{column: values})
    given = frame.astype(object).where(frame.notna(), None).to_dict("records")
    expected = json.loads(post(model, json.dumps({"instances": given}, default=float)).response)
    assert model.predict(frame).to_dict("records") == expected["predictions"]


def test_score_that_is_no_finite_number_is_refused(model):
    rows = [GOOD, {**GOOD, "pay-rate": 1e308}]
    said = "row 2 of 2: the probability is not a finite number"
    for ask in (lambda: post(model, {"instances": rows}), lambda: model.predict(pd.DataFrame(rows))):
        with pytest.raises(MlflowException, match=said) as error:
            ask()
        assert error.value.error_code == "INVALID_PARAMETER_VALUE"
    assert model.unwrap_python_model().answer(json.dumps({"instances": rows}).encode()) is None


TWICE = [
    '{"instances": [{"age": 39, "age": 40, "pay-rate": 2.5, "job": "x"}]}',
    '{"inputs": {"age": 39, "pay-rate": 2.5, "age": 40, "job": "x"}}',
    '{"instances": [], "instances": [{"age": 39, "pay-rate": 2.5, "job": "x"}]}',
]


@pytest.mark.parametrize("body", TWICE)
def test_key_that_occurs_twice_in_json_is_refused(model, body):
    assert model.unwrap_python_model().answer(body.encode()) is None
    with pytest.raises(MlflowException, match="has the key '(age|instances)' twice") as error:
        post(model, body)
    assert error.value.get_http_status_code() == 400


def test_columns_of_a_split_may_be_named_by_numbers(tmp_path):
    form = Form({"0": INTEGER, "1": DOUBLE})
    assert find_keys([1, 0], form) == {"0": 0, "1": 1}
    assert find_keys(["1", 0], form) == {"0": 0, "1": "1"}
    with pytest.raises(Unreadable, match="column '0' is present 2 times"):
        find_keys([0, 0, 1], form)


def test_model_of_before_is_served_beside_one_of_today(tiny_model, monkeypatch):
    before = mlflow.pyfunc.load_model(str(tiny_model))
    monkeypatch.delattr(before.unwrap_python_model().reading, "own_named")
    for form in FORMS:
        answer = json.loads(post(before, {form: FORMS[form]([GOOD])}).response)["predictions"]
        assert [row["probability"] for row in answer] == [97.5]


def test_key_that_occurs_twice_among_very_many_is_found_soon():
    keys = ", ".join(f'"k{number}": 1' for number in range(200_000))
    with pytest.raises(ValueError, match="has the key 'k7' twice"):
        parse_json(f'{{{keys}, "k7": 2}}')


def test_first_bad_row_is_named_and_all_are_counted(model):
    frame = pd.DataFrame([GOOD] * 5).assign(**{"pay-rate": [1.0, 2.0, np.inf, 1.0, np.nan]})
    with pytest.raises(MlflowException, match=r"row 3 of 5: column 'pay-rate' is inf.*\(2 invalid rows"):
        model.predict(frame)


def test_model_scores_without_spark_and_java_and_reports_to_nobody(tiny_model, tmp_path):
    program = (
        "import sys, mlflow, pandas as pd\n"
        "sys.modules |= {'pyspark': None, 'onnx': None, 'xgboost': None, 'common': None}\n"
        f"model = mlflow.pyfunc.load_model({str(tiny_model)!r})\n"
        f"print(model.predict(pd.DataFrame([{GOOD!r}])).probability[0])\n"
    )
    environment = {"PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tiny_model,
        env=environment,
    )
    assert done.stdout.strip() == "97.5", done.stderr
    # ONNX Runtime stores its usage data there.
    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_model_has_no_pickle(tiny_model):
    names = {file.name for file in tiny_model.rglob("*") if file.is_file()}
    assert {"portable_model.py", "pipeline.onnx", "MLmodel"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]


def test_scorer_knows_the_columns_and_their_types():
    kinds = {"age": np.int64, "pay-rate": np.float64, "job": object}
    assert Scorer(pipeline()).columns == kinds
    assert Scorer(pipeline()).outputs == {"prediction": object, "probability": np.float64}
