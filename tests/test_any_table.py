"""The benchmark of odd tables finds the rows that it compares, and sees what differs."""

from contextlib import closing
from decimal import Decimal

import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.any_table import compared, given_to, named_as_in_file, refusal
from benchmarks.one_process import OneProcess
from benchmarks.own_project import OwnProject
from benchmarks.raw_rows import canonical, places_of
from benchmarks.three_ways import Scores, by_batch, difference
from tests.checkout import copy_project
from tests.odd_tables import ODD_TABLES


@pytest.mark.parametrize("table", ODD_TABLES.values(), ids=lambda table: table.name)
def test_rows_of_a_table_are_found_in_its_cells(table, tmp_path):
    read = table.read(table.write(tmp_path))
    kept = read.sample(50, random_state=0)
    found, right = places_of(kept, table.cells), kept.index
    # By value, since a row may occur twice.
    cells = table.cells.astype(str)
    assert cells.iloc[found].to_numpy().tolist() == cells.iloc[right].to_numpy().tolist()


def test_column_that_was_read_as_something_else_is_left_out():
    cells = pd.DataFrame({"share": ["50%", "25%"], "loyal": ["yes", "no"], "size": ["1.50", "2"]})
    kept = pd.DataFrame({"share": [0.25, 0.5], "loyal": [False, True], "size": [2.0, 1.5]})
    assert places_of(kept, cells).tolist() == [1, 0]


def test_boolean_is_found_by_its_word_in_the_file():
    cells = pd.DataFrame({"loyal": ["yes", "no", "?"], "online": ["T", "F", "F"], "size": [1, 1, 1]})
    kept = pd.DataFrame({"loyal": [None, "false", "true"], "online": ["false", "false", "true"]})
    assert places_of(kept.assign(size=1), cells).tolist() == [2, 1, 0]


def test_row_that_is_not_there_or_could_be_several_is_refused():
    cells = pd.DataFrame({"share": ["50%", "25%"], "size": [1, 1]})
    with pytest.raises(ValueError, match="several rows"):
        places_of(pd.DataFrame({"share": [0.5], "size": [1]}), cells)
    # Each row of the file is given once.
    with pytest.raises(ValueError, match="not in the file"):
        places_of(pd.DataFrame({"share": ["50%", "50%"], "size": [1, 1]}), cells)


@pytest.mark.parametrize(
    "same",
    [
        ("", "?", "NA", "N/A", "null", "NaN", None, np.nan, pd.NaT),
        ("1.50", 1.5, Decimal("1.50"), np.float64(1.5), "15e-1"),
        ("True", "TRUE", True, np.True_),
        ("12.5%", "12.5 %", 12.5),
        ("$1,200.50", "1200.5 €", 1200.5),
        ("2024-01-31", pd.Timestamp("2024-01-31"), pd.Timestamp("2024-01-31").date()),
        ("2024-01-31T12:00:00+02:00", "2024-01-31 10:00:00Z", pd.Timestamp("2024-01-31 10:00")),
        ("a\r\nb ", "a\nb"),
    ],
)
def test_value_is_the_same_however_it_was_read(same):
    assert len({canonical(value) for value in same}) == 1


def test_values_that_differ_stay_different():
    values = [
        "a",
        "A",
        "1",
        "1,5",
        "$",
        "%",
        "1.0000001",
        "2024-01-31",
        "2024-01-31T10:00:00",
        "true",
        "yes",
        "",
    ]
    assert len({canonical(value) for value in values}) == len(values)


def test_difference_names_values_labels_and_rows():
    one = Scores(["no", "yes"], np.array([0.1, 0.9]))
    assert difference(one, Scores(["no", "yes"], np.array([0.1, 0.900_009]))) == ""
    assert difference(one, Scores(["no", "yes"], np.array([0.1, 0.91]))) == "values up to 0.01 apart"
    assert difference(one, Scores(["no", "yes"], np.array([0.1, np.nan]))) == "values up to nan apart"
    assert difference(one, Scores(["no", "no"], one.values)) == "1 labels differ"
    assert difference(one, Scores(["no"], np.array([0.1]))) == "2 rows and 1 rows"
    many = np.array([[0.2, 0.8], [0.5, 0.5]])
    assert difference(Scores(["a", "b"], many), Scores(["a", "b"], many + 0.1)) != ""


class Writes:
    """A project whose predict writes given rows."""

    def __init__(self, *parts):
        self.parts = parts

    def run(self, step, output, **options):
        output.mkdir()
        for number, part in enumerate(self.parts):
            part.to_parquet(output / f"part-0000{number}.parquet")


@pytest.mark.parametrize(
    ("task", "columns", "said", "values"),
    [
        ("binary", {"prediction": ["no", "yes"], "probability": [0.1, 0.9]}, ["no", "yes"], [0.1, 0.9]),
        ("regression", {"prediction": [1.5, 2.5]}, [1.5, 2.5], [1.5, 2.5]),
        (
            "multiclass",
            {"prediction": ["yes", "no"], "probability_yes": [0.9, 0.2], "probability_no": [0.1, 0.8]},
            ["yes", "no"],
            [[0.1, 0.9], [0.8, 0.2]],
        ),
    ],
)
def test_scores_of_predict_are_read_in_the_labels_order(tmp_path, task, columns, said, values):
    whole = pd.DataFrame({"months": [1, 2], **columns})
    project = Writes(whole.head(1), whole.tail(1))
    found = by_batch(project, "models:/x/1", tmp_path, tmp_path / "out", task, ["no", "yes"])
    assert found.said == said
    assert found.values.tolist() == values


def test_scores_of_predict_are_not_taken_from_a_column_of_the_file(tmp_path):
    own = {"prediction": [0.5, 1.5], "probability": [-0.3, 1.1]}
    scored = {"model prediction": ["no", "yes"], "model probability": [0.1, 0.9]}
    project = Writes(pd.DataFrame({**own, **scored}))
    found = by_batch(project, "models:/x/1", tmp_path, tmp_path / "out", "binary", ["no", "yes"])
    assert found.said == ["no", "yes"]
    assert found.values.tolist() == [0.1, 0.9]


@pytest.mark.parametrize("size", [1e-6, 1, 1e6])
def test_numbers_are_compared_with_the_largest(size):
    one, near, far = (
        Scores((values * size).tolist(), values * size)
        for values in (np.array([3.0, -0.1]), np.array([3.0, -0.100_02]), np.array([3.0, -0.101]))
    )
    assert difference(one, near) == ""
    assert difference(one, far).startswith("values up to 0.001" if size == 1 else "values up to 1e")


@pytest.mark.parametrize(
    ("ours", "plain", "verdict"),
    [(0.1, 0.1, "as good"), (0.1, 2.0, "better"), (2.0, 0.1, "worse")],
)
def test_verdict_compares_the_lead_with_its_error(ours, plain, verdict):
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 3, 200)
    models = [truth + noise * rng.normal(0, 1, 200) for noise in (ours, plain)]
    folds = (ours, 0.05)
    assert compared("regression", truth, *models, folds, {})["verdict"] == verdict
    apart = {"service and predict": "1 labels differ"}
    told = compared("regression", truth, *models, folds, apart)["verdict"]
    assert told == "disagrees: service and predict: 1 labels differ"


def test_folds_that_promise_what_test_rows_do_not_keep_are_seen():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 3, 200)
    model = truth + rng.normal(0, 1, 200)
    found = compared("regression", truth, model, model, (0.5, 0.02), {})
    assert found["verdict"].startswith("folds and test rows apart: 0.5 and ")
    assert found["folds"] == 0.5


def test_columns_that_were_renamed_are_compared_by_their_name_in_the_file():
    table = ODD_TABLES["added_names"]
    renamed = {name: f"{name} (input)" for name in ("prediction", "probability", "reason")}
    kept = table.cells.sample(50, random_state=0)
    read = named_as_in_file(kept.rename(columns=renamed), {"rename": renamed})
    assert places_of(read, table.cells).tolist() == kept.index.tolist()


LINE = "Error: label 'x' is no column"


@pytest.mark.parametrize(
    ("code", "shown", "finished", "verdict"),
    [
        (1, f"reading\n{LINE}\nstep load_data failed", [], "refused"),
        (1, LINE, ["load_data", "split"], "refused"),
        (0, "", [], "accepted"),
        (2, LINE, [], f"exit code 2 and 1 lines: {LINE}"),
        (1, f"{LINE}\nError: step load_data failed", [], "exit code 1 and 2 lines: "),
        (1, f"Traceback (most recent call last)\n{LINE}", [], "exit code 1 and 1 lines: "),
        (
            1,
            f"ERROR Executor: in task 0\n\tat org.X.y(X.java:1)\n{LINE}",
            [],
            "exit code 1 and 1 lines: ",
        ),
        (1, "Killed", [], "exit code 1 and 0 lines: Killed"),
        (1, "Error: no", [], "does not name ['label']: Error: no"),
        (1, LINE, ["featurize", "load_data"], f"refused after featurize: {LINE}"),
    ],
)
def test_refusal_is_one_line_before_anything_is_fitted(code, shown, finished, verdict):
    found = refusal(code, shown, ["label"], finished)
    assert found == verdict or (verdict.endswith(": ") and found.startswith(verdict))


def test_learner_that_is_asked_for_is_bounded_by_generations_not_by_a_grid():
    assert given_to("multiclass", None)["learner"] == "xgboost"
    assert given_to("binary", None)["generations"] == 0
    given = given_to("binary", "random_forest")
    assert given["learner"] == "random_forest"
    assert "grid" not in given
    assert given["generations"] > 0
    # Each learner's grid is in a race.
    race = given_to("binary", "auto")
    assert (race["learner"], race["generations"], "grid" in race) == ("auto", 0, False)


@pytest.fixture
def checkout(tmp_path):
    before = mlflow.get_tracking_uri()
    copy_project(tmp_path / "checkout")
    yield tmp_path / "checkout"
    mlflow.set_tracking_uri(before)


@pytest.mark.slow
def test_commands_share_a_process_but_neither_store_nor_output(checkout):
    with closing(OneProcess(checkout)) as process:
        for name in ("first", "second"):
            folder = checkout.parent / name
            folder.mkdir()
            project = OwnProject.in_folder(checkout, folder, process)
            (folder / "rows.csv").write_text("a,b\n" + "1,yes\n2,no\n" * 20)
            # Of a label that is not there, only Spark's reading of the file can tell.
            done = project.command("main", source=folder / "rows.csv", label=name)
            assert done.returncode == 1
            errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
            assert [f"label '{name}' is no column" in line for line in errors] == [True]
            runs = mlflow.MlflowClient(project.uri).search_runs([project.experiment])
            assert {run.info.run_name: run.info.status for run in runs} == {
                "main": "FAILED",
                "load_data": "FAILED",
            }
        assert process.process.poll() is None
    assert process.process.returncode == 0
