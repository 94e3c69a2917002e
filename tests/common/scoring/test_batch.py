"""Files scored on Spark: what is scored, what is set aside, and what is refused."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow.models import Model
from pyspark.errors import PythonException

from common.data.reading import read_rows
from common.data.target import BINARY, REGRESSION, Target
from common.errors import UserError
from common.scoring import learnt
from common.scoring.alarms import Strange
from common.scoring.batch import OTHER_RULES, score_file
from common.scoring.measure import measure, numbers_of
from common.scoring.records import read_records
from common.store.portable_models import find_portable_model
from tests.project import ROOT
from tests.tiny_model import COLUMNS, FORM

HEADER = "id,age,pay-rate,job"


@pytest.fixture(scope="module")
def model(tiny_model):
    return find_portable_model(str(tiny_model))


@pytest.fixture
def score(spark, model, tmp_path):
    """Score lines of CSV, or a frame as Parquet; return the outcome and both tables."""

    def score(content, target="scores.csv", model=model, **options):
        source, output = tmp_path / "input", tmp_path / target
        if isinstance(content, pa.Table):
            source = source.with_suffix(".parquet")
            pq.write_table(content, source)
        elif content is not None:
            source.write_text("\n".join(content), encoding="utf-8")
        outcome = score_file(spark, model, f"file://{source}", f"file://{output}", **options)
        return outcome, table(output), table(Path(f"{output}.rejected"))

    return score


def table(folder):
    """Return what Spark wrote to a folder, ordered by the column id if there is one."""
    if not folder.exists():
        return None
    read = pd.read_csv if ".csv" in folder.name else pd.read_parquet
    files = [file for file in folder.iterdir() if file.name.startswith("part-")]
    whole = pd.concat([read(file) for file in files], ignore_index=True)
    return whole.sort_values("id", ignore_index=True) if "id" in whole else whole


def good_of(records):
    return records.table.frame.where(records.table.good).collect()


def hidden(folder):
    return [file.name for file in folder.iterdir() if file.name.startswith(".")]


def test_bad_rows_are_put_aside_with_their_reason_and_good_ones_are_scored(score, tmp_path):
    outcome, good, bad = score(
        [
            "note," + HEADER,
            "x,1,39,2.0,Clerk",
            "y,2,abc,2.0,Clerk",
            "z,3,39.7,2.0,Clerk",
            '"a, b",4,10,0.5,Cook',
            "short,5",
        ]
    )
    assert (outcome.rows, outcome.scored, outcome.rejected) == (5, 2, 3)
    assert outcome.rejects == f"file://{tmp_path}/scores.csv.rejected"
    assert list(good) == ["note", *HEADER.split(","), "prediction", "probability"]
    assert good["note"].tolist() == ["x", "a, b"]
    assert good["prediction"].tolist() == ["yes", "no"]
    assert good["probability"].tolist() == [78.0, -1.0]
    assert bad["reason"].tolist() == [
        "column 'age' is 'abc', expected a whole number",
        "column 'age' is 39.7, expected a whole number",
        "has 2 fields, expected 5",
    ]
    assert bad["age"].tolist()[:2] == ["abc", "39.7"]
    assert bad["line"].tolist()[2] == "short,5"
    assert outcome.reason in set(bad["reason"])
    assert hidden(tmp_path) == []


# Values of the model's columns in a line of CSV -> what is wrong with them.
CELLS = {
    "39.0,2.5,Clerk": None,
    "3.9e1,1e300,Clerk": None,
    "9223372036854775807,2,never seen": None,
    "-5,+2,": None,
    "39d,2,Clerk": "column 'age' is '39d', expected a whole number",
    "39.0000001,2,Clerk": "column 'age' is 39.0000001, expected a whole number",
    ",2,Clerk": "column 'age' is null, expected a whole number",
    "?,2,Clerk": "column 'age' is null, expected a whole number",
    "9223372036854775808,2,Clerk": "column 'age' is 9223372036854775808, expected a whole number",
    "39,NaN,Clerk": "column 'pay-rate' is 'NaN', expected a finite number",
    "39,-Infinity,Clerk": "column 'pay-rate' is '-Infinity', expected a finite number",
    "39,1e400,Clerk": "column 'pay-rate' is inf, expected a finite number",
    "39,2f,Clerk": "column 'pay-rate' is '2f', expected a finite number",
    "39,x,Clerk": "column 'pay-rate' is 'x', expected a finite number",
    '39,2," Clerk"': None,
    '39,2,"Clerk"x': "has text between a closing quote and the next separator",
}


def test_csv_cells_are_taken_or_put_aside_by_the_services_rules(spark, model, tmp_path):
    path = tmp_path / "cells.csv"
    lines = [f"{number},{cells}" for number, cells in enumerate(CELLS)]
    path.write_text("\n".join(["id,age,pay-rate,job", *lines]))
    records = read_records(spark, f"file://{path}", model.form)
    found = {int(row.id): row.reason for row in records.rejected().collect()}
    found |= dict.fromkeys((int(row.id) for row in good_of(records)), None)
    assert [found[number] for number in range(len(CELLS))] == list(CELLS.values())


def test_parquet_is_told_good_from_bad_as_the_model_does_it(spark, model, tmp_path):
    frame = pd.DataFrame(
        [
            (1.0, 2.5, "Clerk"),
            (1.5, 2.5, "Clerk"),
            (None, 2.5, None),
            (float("inf"), 2.5, "x"),
            (2.0**63, 1.0, "x"),
            (-(2.0**63), 1.0, "x"),
            (2.0, float("nan"), "x"),
            (2.0, -np.inf, ""),
            (3.0, 1.0, "x "),
            (3.0, 1.0, "\tx"),
        ],
        columns=list(COLUMNS),
    ).assign(id=range(10))
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    records = read_records(spark, f"file://{tmp_path}/rows.parquet", model.form)
    expected = read_rows(frame, FORM)
    good = {row.id for row in good_of(records)}
    bad = {row.id: row.reason for row in records.rejected().collect()}
    assert good == set(np.flatnonzero(expected.good).tolist())
    assert bad == {int(row): expected.reasons[row] for row in np.flatnonzero(~expected.good)}


def test_parquet_keeps_every_column_and_its_type(score):
    many = pa.table(
        {
            "id": [1, 2],
            "age": pa.array([30, None], pa.int32()),
            "pay-rate": pa.array([1, 2], pa.decimal128(5, 2)),
            "job": pa.array(["Clerk", None]),
            "tags": [["a"], None],
            "a.dot": [1.5, None],
        }
    )
    outcome, good, bad = score(many, target="scores")
    assert (outcome.rows, outcome.rejected) == (2, 1)
    assert good[["tags", "a.dot", "probability"]].to_numpy().tolist() == [[["a"], 1.5, 30.0]]
    assert bad["reason"].tolist() == ["column 'age' is null, expected a whole number"]
    assert list(bad) == [*many.column_names, "reason"]


def test_scores_are_those_of_the_model_alone(score, tiny_model):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": range(1200),
            "age": rng.integers(0, 90, 1200),
            "pay-rate": rng.random(1200),
            "job": rng.choice(["Clerk", "Cook", ""], 1200),
        }
    )
    _, good, _ = score(pa.Table.from_pandas(frame), target="scores.parquet")
    expected = mlflow.pyfunc.load_model(str(tiny_model)).predict(frame)
    pd.testing.assert_frame_equal(good[["prediction", "probability"]], expected)


def test_label_is_no_input_and_gives_scores(score):
    lines = [
        "promoted,age,pay-rate,job",
        "yes,39,0.01,Clerk",
        "no,39,1,Cook",
        "yes,5,1,Cook",
        "?,5,1,Cook",
    ]
    outcome, good, _ = score(lines)
    assert outcome.rows == 4
    assert outcome.measured.labelled == 3
    assert outcome.measured.scores["accuracy"] == pytest.approx(2 / 3)
    assert good["promoted"].tolist() == ["yes", "no", "yes", "?"]


def test_file_that_is_mostly_strange_is_scored_with_alarms(score):
    lines = [
        "promoted,age,pay-rate,job",
        *["ja,39,1,clerk"] * 3,
        "yes,39,1,Clerk",
        ",39,1,Clerk",
        *["no,x,1,Clerk"] * 6,
    ]
    outcome, _, _ = score(lines)
    assert outcome.told == "CSV in utf-8 with a header"
    assert outcome.alarms == (
        "6 of 11 rows cannot be scored; the first: column 'age' is 'x', expected a whole number",
        "column 'job': 3 of 5 rows have a category that was never seen in training, such as 'clerk'",
        "column 'promoted': 3 of 4 values are not labels of the data set, such as 'ja': the scores leave "
        "them out",
    )


def test_some_rows_with_unseen_categories_are_told_without_alarm(score):
    outcome, _, _ = score(["age,pay-rate,job", *["39,1,Clerk"] * 3, "39,1,clerk"])
    assert outcome.alarms == ()
    assert outcome.notes == (
        "column 'job': 1 of 4 rows has a category that was never seen in training, such as 'clerk'",
    )


def test_model_that_keeps_other_rules_is_told(score, model, tmp_path):
    lines = ["age,pay-rate,job", "39,1,Clerk"]
    kept = tmp_path / "kept"
    shutil.copytree(model.folder, kept)
    numbers = kept / "artifacts" / "reading" / "numbers.py"
    text = numbers.read_text(encoding="utf-8")
    numbers.write_text(f"# Another comment.\n{text}", encoding="utf-8")
    outcome, _, _ = score(lines, model=find_portable_model(str(kept)))
    assert outcome.alarms == ()
    numbers.write_text(f"{text}\nANOTHER = 1\n", encoding="utf-8")
    outcome, _, _ = score(lines, model=find_portable_model(str(kept)), overwrite=True)
    assert outcome.alarms == (OTHER_RULES,)


def test_record_over_lines_is_written_and_read_back_whole(score):
    outcome, good, bad = score(
        ["id,note,age,pay-rate,job", '1,"a\nb ""c""",39,2,Clerk', '2,"d\ne",x,2,Clerk']
    )
    assert "some records span lines" in outcome.told
    assert good["note"].tolist() == ['a\nb "c"']
    assert good["probability"].tolist() == [78.0]
    assert bad["note"].tolist() == ["d\ne"]


def test_label_beside_a_line_break_of_parquet_is_read_back_from_csv(score):
    rows = {"note": ["a\nb\rc", "d"], "age": [39, 40], "pay-rate": [1.0, 2.0], "job": ["Clerk", "x"]}
    outcome, good, _ = score(pa.table({**rows, "promoted": ["yes", "no"]}), target="scores.csv")
    assert (outcome.measured.labelled, len(good)) == (2, 2)


def test_numbers_that_spark_wrote_are_read_back_with_a_point(score, model, monkeypatch):
    marks = []

    def spy(whole, model, rows, names, label, decimal):
        marks.append(decimal)
        return measure(whole, model, rows, names, label, decimal)

    monkeypatch.setattr("common.scoring.batch.measure", spy)
    commas = replace(model, form=replace(model.form, decimal=",", separator=";"))
    score(["age;pay-rate;job;promoted", "39;1,5;Clerk;yes"], model=commas, target="text.csv")
    rows = {"age": [39], "pay-rate": [1.5], "job": ["Clerk"]}
    score(pa.table({**rows, "promoted": [1.5]}), model=commas, target="numbers.csv")
    score(pa.table({**rows, "promoted": ["1,5"]}), model=commas)
    assert marks == [",", ".", ","]


def test_boolean_label_of_parquet_is_the_labels_text(spark, model):
    two = replace(model, target=Target(BINARY, ("false", "true")))
    names = {"prediction": "prediction", "probability": "probability"}
    rows = [(True, "true", 0.9), (False, "true", 0.6), (None, "true", 0.7)]
    frame = spark.createDataFrame(rows, "PROMOTED boolean, prediction string, probability double")
    measured = measure(frame, two, 3, names, "PROMOTED")
    assert (measured.labelled, measured.unknown.rows) == (2, 0)
    assert measured.scores["accuracy"] == 0.5


def test_label_that_is_a_number_is_read_by_the_rules_and_what_is_none_is_left_out(spark, model):
    number = replace(model, target=Target(REGRESSION), label_type="currency")
    rows = [("$1,200.50", 1200.0), ("-3 EUR", -2.0), ("", 7.0), ("?", 7.0), ("many", 7.0)]
    frame = spark.createDataFrame(rows, "promoted string, prediction double")
    measured = measure(frame, number, 5, {"prediction": "prediction"}, "promoted")
    assert (measured.labelled, measured.unknown) == (2, Strange(1, 3, "many"))
    assert measured.scores["mae"] == pytest.approx(0.75)


def test_column_of_the_data_sets_own_that_is_called_like_an_output_keeps_its_name(score, model):
    layout, renamed = ("age", "pay-rate", "job", "prediction_2"), {"prediction_2": "Prediction"}
    own = replace(model, form=replace(model.form, layout=layout, renamed=renamed))
    lines = ["age,pay-rate,job,Prediction", "39,2,Clerk,guess", "x,2,Clerk,"]
    outcome, good, bad = score(lines, model=own)
    assert list(good) == [
        *("age", "pay-rate", "job", "Prediction", "model prediction", "model probability"),
    ]
    assert good["Prediction"].tolist() == ["guess"]
    assert good["model probability"].tolist() == [78.0]
    assert bad["model reason"].tolist() == ["column 'age' is 'x', expected a whole number"]
    assert outcome.notes == (
        "the file has a column of the name of one of the model's, which are called 'model prediction', "
        "'model probability'",
    )


def test_columns_called_like_what_is_added_keep_their_names_however_often_a_file_is_scored(score):
    own = {"prediction": "guess", "Reason": "why", "line": "5"}
    for number in range(3):
        lines = [
            ",".join(["age,pay-rate,job", *own]),
            *(f"{n},2,Clerk,{','.join(own.values())}" for n in "4x"),
        ]
        outcome, good, bad = score(lines, overwrite=True)
        assert (outcome.scored, outcome.rejected) == (1, 1)
        assert good[list(own)].astype(str).to_numpy().tolist() == [list(own.values())]
        after = f" {number + 1}" if number else ""
        assert good[f"model probability{after}"].tolist() == [8.0]
        assert bad[f"model reason{after}"].tolist() == ["column 'age' is 'x', expected a whole number"]
        own[f"model reason{after}"] = "x"


def test_columns_of_the_names_that_scoring_uses_itself_are_kept(score):
    own = ["__read", "__good", "__wrong", "__scored", "__record", "__fits"]
    rows = {"age": [39], "pay-rate": [2.0], "job": ["Clerk"], **{name: [name] for name in own}}
    outcome, good, _ = score(pa.table(rows), target="scores")
    assert outcome.scored == 1
    assert good.filter(like="__").to_numpy().tolist() == [own]


def test_names_of_parquet_that_differ_in_case_alone_are_refused(score):
    rows = {"age": [39], "pay-rate": [2.0], "job": ["Clerk"], "note": ["x"], "Note": ["y"]}
    with pytest.raises(UserError, match=r"has the columns 'note' and 'Note', which Spark takes for one"):
        score(pa.table(rows))


def test_names_of_folders_are_texts_where_the_model_takes_texts(spark, model, tmp_path):
    folder = tmp_path / "parts"
    for job, label in (("01", "1.0"), ("2.50", "02"), ("2024-01-05", "003"), ("true", "x")):
        part = folder / f"job={job}" / f"promoted={label}"
        part.mkdir(parents=True)
        pq.write_table(pa.table({"age": [39], "pay-rate": [2.0]}), part / "rows.parquet")
    found = read_records(spark, f"file://{folder}", model.form).table.frame.collect()
    pairs = {(row.job, row.promoted) for row in found}
    assert pairs == {("01", "1.0"), ("2.50", "02"), ("2024-01-05", "003"), ("true", "x")}
    numbers = replace(model.form, columns={**COLUMNS, "job": "double"})
    (tmp_path / "numbers").mkdir()
    for job in ("1", "2.5"):
        part = tmp_path / "numbers" / f"job={job}"
        part.mkdir()
        pq.write_table(pa.table({"age": [39], "pay-rate": [2.0]}), part / "rows.parquet")
    records = read_records(spark, f"file://{tmp_path}/numbers", numbers)
    assert {row.job for row in records.table.frame.collect()} == {1.0, 2.5}


def test_timestamps_are_written_to_csv_to_the_microsecond(score):
    moment = datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)
    rows = {"age": [39], "pay-rate": [2.0], "job": ["Clerk"]}
    local = pa.array([moment.replace(tzinfo=None)], pa.timestamp("us"))
    _, good, _ = score(pa.table({**rows, "at": [moment], "local": local}))
    assert good["at"].tolist() == ["2024-05-06T07:08:09.123456Z"]
    assert good["local"].tolist() == ["2024-05-06T07:08:09.123456"]


def test_record_whose_score_is_no_finite_number_is_put_aside(score):
    lines = [HEADER, "1,39,2,Clerk", "2,39,1e308,Clerk", "3,x,1,Clerk"]
    outcome, good, bad = score(lines)
    assert (outcome.scored, good["id"].tolist(), bad["id"].tolist()) == (1, [1], [2, 3])
    assert bad["reason"].tolist()[0] == "the model's prediction is not a finite number"
    assert bad["pay-rate"].tolist()[0] == 1e308
    with pytest.raises(UserError, match="the first: the model's prediction is not a finite number"):
        score([lines[0], lines[2]], overwrite=True)


def test_labels_that_the_scores_leave_out_are_told_if_few(score):
    lines = ["promoted,age,pay-rate,job", *["yes,39,1,Clerk"] * 3, "NO,39,1,Clerk"]
    outcome, _, _ = score(lines)
    assert outcome.alarms == ()
    assert outcome.notes == (
        "column 'promoted': 1 of 4 values is not a label of the data set, such as 'NO': the scores leave "
        "it out",
    )


@pytest.mark.parametrize("labels", [("0", "1"), ("0.0", "1.0"), ("00", "01")])
@pytest.mark.parametrize("target", ["scores.csv", "scores"])
@pytest.mark.parametrize(
    "given",
    [[0, 1, 1], [0.0, 1.0, 1.0], ["0", "1", "1.0"], [" 0", "01", "1e0"]],
    ids=["whole", "floats", "texts", "odd texts"],
)
def test_labels_that_are_numbers_are_known_however_they_are_written(score, model, labels, target, given):
    numbers = replace(model, target=Target(BINARY, labels))
    rows = {"age": [39] * 3, "pay-rate": [1.0] * 3, "job": ["Clerk"] * 3, "promoted": given}
    outcome, _, _ = score(pa.table(rows), target=target, model=numbers)
    assert (outcome.measured.labelled, outcome.measured.unknown.rows) == (3, 0)


def test_labels_are_texts_if_two_are_the_same_number_or_one_is_missing(model):
    for labels, missing in ((("1", "01"), ("?",)), (("0", "1"), ("0.0",)), (("no", "1"), ("?",))):
        form = replace(model.form, missing=missing)
        assert numbers_of(replace(model, target=Target(BINARY, labels), form=form)) == []
    assert numbers_of(replace(model, target=Target(BINARY, ("0.0", "1e0")))) == [0, 1]


def test_output_of_the_labels_name_is_not_taken_for_the_label(score, model):
    form = replace(model.form, label="prediction (input)", renamed={"prediction (input)": "prediction"})
    own = replace(model, form=form)
    outcome, good, _ = score(["age,pay-rate,job", "39,2,Clerk"], model=own)
    assert (outcome.measured.labelled, outcome.measured.scores) == (0, {})
    assert good["prediction"].tolist() == ["yes"]
    lines = ["age,pay-rate,job,prediction", "39,2,Clerk,no"]
    outcome, good, _ = score(lines, model=own, overwrite=True)
    assert outcome.measured.scores["accuracy"] == 0
    assert good["prediction"].tolist() == ["no"]


def test_number_to_predict_may_have_a_fraction_where_training_had_none(spark, model):
    whole = replace(model, target=Target(REGRESSION), label_type="integer")
    frame = spark.createDataFrame([(1.5, 1.0), (2.0, 2.0)], "promoted double, prediction double")
    found = measure(frame, whole, 2, {"prediction": "prediction"}, "promoted")
    assert (found.labelled, found.scores["mae"]) == (2, pytest.approx(0.25))


def test_column_none_of_whose_many_rows_has_a_frequent_category_is_an_alarm(score, model):
    capped = replace(model, capped=frozenset({"job"}))
    outcome, _, _ = score(["age,pay-rate,job", *["39,2,Cook"] * 20], model=capped)
    assert outcome.notes == ()
    assert outcome.alarms == (
        "column 'job': 20 of 20 rows have a category that was never seen in training, such as 'Cook'",
    )


def test_folder_with_other_files_is_never_replaced(score, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(UserError, match="mine has 'thesis.txt', which no output has: choose another"):
        score([HEADER, "1,39,2,Clerk"], target="mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"
    (tmp_path / "mine" / "thesis.txt").rename(tmp_path / "mine" / "part-1.txt")
    with pytest.raises(UserError, match="has 'part-1.txt'"):
        score([HEADER, "1,39,2,Clerk"], target="mine", overwrite=True)


def test_rare_categories_of_a_column_with_its_most_frequent_ones_raise_no_alarm(score, model):
    capped = replace(model, capped=frozenset({"job"}))
    outcome, _, _ = score(["age,pay-rate,job", "39,2,Clerk", "39,2,Cook", "39,2,"], model=capped)
    assert outcome.alarms == ()
    assert outcome.notes == (
        "column 'job': 2 of 3 rows have none of its 1 most frequent categories, and share the feature of "
        "all others",
    )


def test_missing_category_is_unseen_only_if_training_had_none(score, model):
    lines = ["age,pay-rate,job", "39,2,Clerk", "39,2,", "39,2,?"]
    assert "such as null" in score(lines)[0].alarms[0]
    known = replace(model, categories={"job": ["Clerk", "(missing)"]})
    assert score(lines, model=known, overwrite=True)[0].alarms == ()


@pytest.mark.parametrize(
    ("lacking", "rows", "share", "is_told"),
    [(30, 30, 0.031, True), (14, 30, 0.031, False), (10, 10, 0.031, False), (22, 30, 0.5, False)],
)
def test_values_that_training_had_and_most_rows_lack_are_told(
    score, model, lacking, rows, share, is_told
):
    """A file with an empty column was scored as if each row lacked the value by chance."""
    known = replace(model, categories={"job": ["Clerk", "(missing)"]}, missing={"job": share})
    lines = ["age,pay-rate,job", *["39,2,?"] * lacking, *["39,2,Clerk"] * (rows - lacking)]
    said = "column 'job': 30 of 30 rows have no value; in the model's data set it was 3% of the rows"
    assert score(lines, model=known)[0].alarms == (said,) * is_told


def test_file_of_another_encoding_is_read_when_it_is_told(spark, model, tmp_path):
    (tmp_path / "rows.csv").write_bytes("age,pay-rate,job\n39,2,München\n".encode("latin-1"))
    source, target = f"file://{tmp_path}/rows.csv", f"file://{tmp_path}/scores"
    with pytest.raises(UserError, match="rows.csv: line 2 is not valid utf-8: give the file's encoding"):
        score_file(spark, model, source, target)
    score_file(spark, model.reading("latin-1"), source, target)
    assert table(tmp_path / "scores")["job"].tolist() == ["München"]
    with pytest.raises(
        UserError, match="encoding must be utf-8 or a single-byte encoding such as latin-1"
    ):
        model.reading("utf-16")


def test_file_of_the_data_sets_own_form_needs_no_header(score):
    outcome, good, _ = score(["39, 0.01, Clerk, yes", "40, 0.02, Cook, no"])
    assert outcome.measured.labelled == 2
    assert good["age"].tolist() == [39, 40]
    outcome, good, _ = score(["39, 0.01, Clerk", "40, 0.02, Cook"], overwrite=True)
    assert outcome.measured.labelled == 0
    assert list(good) == [*COLUMNS, "prediction", "probability"]


def test_index_without_a_name_and_a_byte_order_mark_are_no_hindrance(score):
    _, good, _ = score(["\ufeff,age,pay-rate,job\r", "0,39,2,Clerk\r"])
    assert next(iter(good)) == "_c0"
    assert good["probability"].tolist() == [78.0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["age,job", "1,x"], "has no column 'pay-rate'; it has age, job"),
        (["Edge,pay-rate,job", "1,2,x"], "has no column 'age'; it has Edge, pay-rate, job"),
        (["age,age,pay-rate,job", "1,1,2,x"], "has the column 'age' twice"),
        ([HEADER], "has no rows"),
        ([], "has no data"),
        (["1,2"], "has neither a header with the column 'age' nor the 4 fields per line"),
        ([HEADER, "1,x,2,y", "2,3"], "has no row that can be scored; the first: column 'age' is 'x'"),
        (None, "does not exist"),
        (
            pa.table({"age": ["39"], "pay-rate": [1.0], "job": ["x"]}),
            "has no row that can be scored; the first: column 'age' is '39', expected a whole number",
        ),
    ],
)
def test_file_that_cannot_be_scored_is_refused_and_leaves_nothing(score, tmp_path, lines, message):
    with pytest.raises(UserError, match=message):
        score(lines)
    assert [path.name for path in tmp_path.iterdir() if "input" not in path.name] == []


def test_folder_whose_files_have_other_columns_orders_is_refused(spark, model, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "1.csv").write_text("age,pay-rate,job\n1,2,Clerk\n")
    (tmp_path / "folder" / "2.csv").write_text("pay-rate,age,job\n1,2,Clerk\n")
    with pytest.raises(UserError, match="2.csv: does not begin with the header of the first file"):
        score_file(spark, model, f"file://{tmp_path}/folder", f"file://{tmp_path}/scores")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_broken_parquet_is_one_line(spark, model, tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no Parquet PAR1")
    with pytest.raises(UserError, match=r"broken.parquet: is no Parquet that can be read") as error:
        score_file(spark, model, f"file://{tmp_path}/broken.parquet", f"file://{tmp_path}/scores")
    assert len(str(error.value).splitlines()) == 1


def test_output_that_exists_is_replaced_only_when_told_and_whole(score, tmp_path):
    lines = [HEADER, "1,39,2,Clerk"]
    score([*lines, "2,abc,2,Clerk"])
    with pytest.raises(UserError, match="scores.csv exists: choose another, or set overwrite=true"):
        score(lines)
    with pytest.raises(UserError, match="has no rows"):
        score([HEADER], overwrite=True)
    assert table(tmp_path / "scores.csv.rejected")["age"].tolist() == ["abc"]
    outcome, good, bad = score([HEADER, "3,40,2,Clerk"], overwrite=True)
    assert outcome.rejected == 0
    assert good["id"].tolist() == [3]
    assert bad is None
    assert hidden(tmp_path) == []


def test_output_that_would_touch_the_input_is_refused(spark, model, tmp_path):
    source = f"file://{tmp_path}/data/rows.csv"
    for target in (source, f"file://{tmp_path}/data", f"{source}/scores"):
        with pytest.raises(UserError, match="overlap: choose another output"):
            score_file(spark, model, source, target, overwrite=True)


def test_error_of_the_models_keeps_its_trace_and_leaves_nothing(spark, model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model.folder, folder)
    (folder / "artifacts" / "pipeline.onnx").write_bytes(b"broken")
    (tmp_path / "rows.csv").write_text("age,pay-rate,job\n1,2,Clerk\n")
    broken = replace(model, folder=str(folder))
    with pytest.raises(PythonException, match=r"(?s)Traceback.*protobuf parsing failed"):
        score_file(spark, broken, f"file://{tmp_path}/rows.csv", f"file://{tmp_path}/scores")
    assert {path.name for path in tmp_path.iterdir()} == {"model", "rows.csv"}


def test_model_of_another_kind_is_refused(tmp_path):
    Model(flavors={"spark": {}, "python_function": {}}).save(str(tmp_path / "MLmodel"))
    with pytest.raises(UserError, match=r"\(python_function, spark\) is not a portable model"):
        find_portable_model(str(tmp_path))


def test_what_workers_import_to_score_is_not_mlflow():
    """It takes longer to import than a small file to score."""
    asks = "import sys, common.scoring.arrow_scoring; print({'mlflow', 'pyspark.ml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.fixture
def train(spark):
    """The training rows of the model: ages from 0, with a rate of one half and a job."""
    columns = "age long, `pay-rate` double, job string, promoted string"
    return lambda ages: (
        lambda: spark.createDataFrame([(age, 0.5, "Clerk", "yes") for age in ages], columns)
    )


def labelled(ages):
    return [f"{HEADER},promoted", *(f"{n},{age},0.5,Clerk,no" for n, age in enumerate(ages))]


def test_rows_that_the_model_has_learnt_are_told_beside_the_scores(score, train):
    bad = ["7,x,0.5,Clerk,yes", "8,3,,Clerk,yes"]
    outcome, good, _ = score([*labelled([3, 90, 4, 3, 91]), *bad], train=train(range(10)))
    # A column that the model does not see, as the id, makes no row another; bad ones are not scored.
    assert outcome.learnt.startswith("the model was trained on rows equal to 3 of these 5: if they are")
    assert good["id"].tolist() == [0, 1, 2, 3, 4]
    assert list(good) == [*f"{HEADER},promoted,prediction,probability".split(",")]


@pytest.mark.parametrize(
    ("lines", "ages"),
    [
        (labelled(range(100, 200)), range(10)),
        # One of 200 changes no score.
        (labelled([3, *range(100, 299)]), range(10)),
        # Without a label there is no score that it could change.
        ([HEADER, "0,3,0.5,Clerk"], range(10)),
    ],
    ids=["new rows", "few", "no label"],
)
def test_rows_that_are_new_or_have_no_label_are_not_told(score, train, lines, ages):
    outcome, good, _ = score(lines, train=train(ages))
    assert (outcome.learnt, len(good)) == ("", len(lines) - 1)


def test_training_rows_that_are_gone_are_not_taken_for_other_rows(score):
    outcome, _, _ = score(labelled([3, 90]), train=lambda: None)
    assert outcome.learnt.startswith("whether the model has learnt some of these rows is not known")


def test_training_rows_are_not_asked_for_where_there_is_no_label(score):
    outcome, _, _ = score([HEADER, "0,3,0.5,Clerk"], train=lambda: pytest.fail("they were read"))
    assert outcome.scored == 1


def test_of_many_training_rows_some_are_looked_for(score, train, monkeypatch):
    monkeypatch.setattr(learnt, "MOST_HASHES", 100)
    outcome, _, _ = score(labelled(range(500, 1500)), train=train(range(1000)))
    about = re.search(r"equal to about ([\d,]+) of these 1,000: ", outcome.learnt)
    assert about
    assert abs(int(about[1]) - 500) < 150


def test_column_of_the_file_may_be_called_as_what_is_looked_up(score, train):
    lines = ["age,pay-rate,job,promoted,__own,__learnt", "3,0.5,Clerk,no,a,b", "90,0.5,Clerk,yes,c,d"]
    outcome, good, _ = score(lines, train=train(range(10)))
    assert "equal to 1 of these 2: " in outcome.learnt
    assert sorted(good["__own_2"]) == ["a", "c"]
    assert sorted(good["__learnt_2"]) == ["b", "d"]


@pytest.mark.parametrize("target", ["scores.csv", "scores"])
def test_the_first_reason_is_that_of_the_first_bad_record_of_the_file(score, target):
    # So long that Spark reads it in parts; the last of them has most of the bad records.
    note = "x" * 100_000
    ages = ["39"] * 3 + ["first"] + ["39"] * 67 + ["later"] * 29
    rows = [f"{note},{row},{age},2.0,Clerk" for row, age in enumerate(ages)]
    outcome, *_ = score(["note," + HEADER, *rows], target)
    assert outcome.rejected == 30
    assert outcome.reason == "column 'age' is 'first', expected a whole number"
