"""A model of each task, kept with MLflow: its signature, its service, and files scored by it."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import scoring_server
from mlflow.types.schema import AnyType

from common.data.row_hash import quoted
from common.data.spec import CATEGORY
from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.learning.prepare import IMPUTE
from common.scoring.batch import score_file
from common.scoring.card_input import HEADER, example_records, input_rows
from common.scoring.export import export, vocabulary
from common.scoring.outputs import outputs_of
from common.scoring.serving import Scorer
from common.store.portable_models import find_portable_model, log_portable_model
from tests.common.scoring.every_type import (
    COLUMNS,
    LABELS,
    ROWS,
    arrays_of,
    fit,
    frame_of,
    rows_of,
    strange_rows,
)
from tests.stores import new_store

pytestmark = pytest.mark.slow


class Kept:
    """A model with missing values in every column, logged, and the rows that it is asked."""

    def __init__(self, spark, task, folder):
        self.task = task
        pipeline, self.spec = fit(spark, task, "random_forest", "index", IMPUTE, True)
        self.rows = rows_of(task, True) + strange_rows(True)
        self.frame = frame_of(spark, self.spec, self.rows)
        model, self.found = export(pipeline, self.spec, self.frame)
        self.known = vocabulary(pipeline, self.spec)
        self.example = example_records(self.frame, self.spec)
        with mlflow.start_run() as run:
            log_portable_model(model, "portable-model", self.spec, self.known, self.example, "# Card\n")
        self.kept = find_portable_model(f"runs:/{run.info.run_id}/portable-model")
        self.loaded = mlflow.pyfunc.load_model(self.kept.folder)
        self.expected = pd.DataFrame(Scorer(model).score(arrays_of(self.spec, self.rows)))

    @property
    def records(self):
        """The rows as JSON has them."""
        return [{name: row[name] for name in COLUMNS} for row in self.rows]


@pytest.fixture(scope="module", params=[BINARY, MULTICLASS, REGRESSION])
def kept(request, spark, tmp_path_factory, empty_store):
    folder = tmp_path_factory.mktemp("kept")
    with new_store(folder, empty_store) as experiment:
        mlflow.set_experiment(experiment_id=experiment)
        yield Kept(spark, request.param, folder)


def asked(kept, body, content_type="application/json"):
    schema = kept.loaded.metadata.get_input_schema()
    answer = scoring_server.invocations(body, content_type, kept.loaded, schema)
    assert answer.status == 200, answer.response
    return pd.DataFrame(json.loads(answer.response)["predictions"])


def test_every_row_agrees_and_none_is_refused(kept):
    assert (kept.found.rows, kept.found.refused) == (len(kept.rows), 0)
    assert (kept.found.labels, kept.found.numbers) == (0, 0)


def test_signature_says_what_is_returned(kept):
    outputs = kept.loaded.metadata.get_output_schema()
    assert outputs.input_names() == list(outputs_of(kept.spec.target))
    inputs = kept.loaded.metadata.get_input_schema()
    assert inputs.input_names() == list(COLUMNS)
    assert inputs.required_input_names() == list(COLUMNS)
    assert {str(kind) for kind in inputs.input_types()} == {str(AnyType())}


def test_service_scores_every_type_and_nulls(kept):
    answer = asked(kept, json.dumps({"dataframe_records": kept.records}))
    pd.testing.assert_frame_equal(answer, kept.expected)
    answer = asked(kept, pd.DataFrame(kept.records, dtype=object).to_csv(index=False), "text/csv")
    pd.testing.assert_frame_equal(answer, kept.expected)


def test_model_answers_a_request_by_itself_as_its_server_does(kept):
    body = json.dumps({"dataframe_records": kept.records})
    schema = kept.loaded.metadata.get_input_schema()
    answer = scoring_server.invocations(body, "application/json", kept.loaded, schema)
    assert kept.loaded.unwrap_python_model().answer(body.encode()) == answer.response.encode()


def unseen_while_serving(kept):
    """Return how many values without a feature of their own the rows have, by column."""
    told, inner = [], kept.loaded.unwrap_python_model()
    inner.observe(kept.known, told.append)
    assert inner.answer(json.dumps({"instances": kept.records}).encode())
    ((rows, unseen, predicted, missing),) = told
    assert rows == len(kept.rows) == (sum(predicted.values()) or rows)
    columns = kept.known["columns"]
    lacked = [name for name in kept.spec.names if columns.get(name, {}).get("missing")]
    assert missing == {name: sum(row[name] is None for row in kept.records) for name in lacked}
    return unseen


def test_service_scores_the_models_own_example(kept):
    for name in ("serving_input_example.json", "input_example.json"):
        body = (kept.kept.folder + "/" + name).replace("//", "/")
        with open(body) as file:
            content = json.load(file)
        if name == "input_example.json":
            content = {"dataframe_split": content}
        answer = asked(kept, json.dumps(content))
        pd.testing.assert_frame_equal(answer, kept.expected.head(2))


def test_frame_with_dates_of_pandas_is_scored(kept):
    usual = [row for row in kept.records[:ROWS] if all(v is not None for v in row.values())]
    frame = pd.DataFrame(usual)
    whole = frame.assign(**{n: pd.to_datetime(frame[n]) for n in ("born", "seen", "day")})
    whole["at"] = frame["at"].astype("datetime64[us]")
    places = [kept.records.index(row) for row in usual]
    expected = kept.expected.iloc[places].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.loaded.predict(whole), expected)


def test_file_is_scored_as_the_model_alone_does_it(kept, spark, tmp_path):
    lines = pd.DataFrame(kept.rows, dtype=object).drop(columns="skipped")
    lines.to_csv(tmp_path / "rows.csv", index=False)
    target = f"file://{tmp_path}/scores"
    outcome = score_file(
        spark, kept.kept, f"file://{tmp_path}/rows.csv", target, train=lambda: kept.frame
    )
    # A row of the file has the hash of the same row in training, whatever the types.
    assert f"equal to {len(kept.rows)} of these {len(kept.rows)}: " in outcome.learnt
    assert (outcome.rows, outcome.rejected) == (len(kept.rows), 0)
    assert (outcome.measured.labelled, outcome.measured.unknown.rows) == (ROWS, 0)
    assert len(outcome.measured.scores) > 3
    assert set(outcome.measured.scores) == set(outcome.measured.guess)
    names = list(outputs_of(kept.spec.target))
    of_columns, clash = outcome.notes, ()
    if kept.task == MULTICLASS:
        # The data set has a column with the name of a probability.
        clash, *of_columns = outcome.notes
        names = [f"model {name}" for name in names]
        assert f"are called {', '.join(map(repr, names))}" in clash
    # The columns of more than four categories have only those.
    assert sorted(note.split("'")[1] for note in of_columns) == ["day", "probability_a", "rate", "数"]
    unseen = unseen_while_serving(kept)
    for name in ("day", "probability_a", "rate", "数"):
        (note,) = (note for note in of_columns if note.startswith(f"column {name!r}: "))
        assert f"column {name!r}: {unseen[name]} of " in note
    found = spark.read.parquet(target).select(*[quoted(name) for name in names]).toPandas()
    pd.testing.assert_frame_equal(found.set_axis(list(kept.expected), axis=1), kept.expected)
    kept.frame.write.parquet(f"file://{tmp_path}/rows.parquet")
    target = f"file://{tmp_path}/again.csv"
    again = score_file(
        spark, kept.kept, f"file://{tmp_path}/rows.parquet", target, train=lambda: kept.frame
    )
    assert again.learnt == outcome.learnt
    assert again.measured.scores == pytest.approx(outcome.measured.scores)
    assert again.measured.labelled == ROWS


def test_metadata_and_card_say_what_each_column_had(kept):
    known = kept.known["columns"]
    assert kept.kept.target == kept.spec.target
    assert kept.kept.capped == {"probability_a", "数", "rate", "day", "at"}
    assert known["born"]["least"] >= "1960-02-27"
    assert known["ok"]["categories"][-1] == "(missing)"
    assert {"born", "ok"} < set(known) == set(COLUMNS)
    rows = {row[0]: dict(zip(HEADER, row, strict=True)) for row in input_rows(kept.spec, kept.known)}
    assert rows["ok"]["in training"] == "3 categories"
    assert rows["day"]["in training"] == "4 categories, the most that are told apart"
    assert rows["born"]["may be missing"] == "yes; 20.0% of the data set"
    assert rows["born"]["in training"].startswith("19")
    assert json.loads(json.dumps(kept.known)) == kept.known
    assert kept.known["labels"] == list(LABELS[kept.task])


def test_category_is_null_where_only_categories_may_be(kept):
    optional = kept.spec.input_form.optional
    assert {name for name, (_, role) in COLUMNS.items() if role == CATEGORY} <= optional
    assert np.isfinite(kept.expected.iloc[:, 1:].to_numpy(float)).all()
