"""The real commands, as a user types them, on a small slice (see tests/project.py)."""

import json
import re
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.models import Model
from pyspark.ml.functions import vector_to_array

from common import CHAMPION_URI, PROJECT
from tests.browser import open_page
from tests.project import MAIN, ROOT, table


@pytest.fixture(scope="module")
def first(project):
    return project.done_main


SEARCH = ["candidates.csv", "best_parameters.json", "findings.md", "next_grid.yaml", "plots"]
MODELS = ["spark-model", "portable-model"]
STEPS = ["load_data", "eda", "split", "featurize", "train_grid", "train_ga", "champion"]


@pytest.mark.slow
def test_main_runs_every_step_below_itself(project, first):
    steps = table(first.stdout)
    # In the order in which they ended: some run beside others.
    assert sorted(steps) == sorted(STEPS)
    (main,) = project.runs(**{"workflow.step": "main"})
    for name, (run_id, state) in steps.items():
        run = project.client.get_run(run_id)
        assert state == "new"
        assert run.info.status == "FINISHED"
        assert run.info.run_name == name
        assert run.data.tags["mlflow.parentRunId"] == main.info.run_id
    assert f"champion: {CHAMPION_URI}, version " in first.stdout
    line = f"main is run {main.info.run_id}; look at it: mlflow ui --backend-store-uri sqlite:///"
    assert line in first.stdout
    # Main's table lists its steps, so they do not print this line.
    assert first.stdout.count("; look at it: ") == 1
    assert main.data.tags["workflow.steps"].split(",") == [run_id for run_id, _ in steps.values()]


@pytest.mark.slow
def test_steps_of_main_share_one_spark_application(project, first):
    runs = [project.client.get_run(run_id) for run_id, _ in table(first.stdout).values()]
    told = [run.data.tags["spark.application"] for run in runs if "spark.application" in run.data.tags]
    # The champion's step compares scores, and needs none.
    assert len(told) == len(STEPS) - 1
    assert len(set(told)) == 1


@pytest.mark.slow
def test_main_prints_what_it_found_and_nothing_else(first):
    # Java reports the options that the tests set, and MLflow's command reports main's run.
    known = ("NOTE: Picked up JDK_JAVA_OPTIONS: ", " INFO mlflow.projects")
    assert [one for one in first.stderr.splitlines() if not any(part in one for part in known)] == []
    assert first.stderr.count(known[1]) <= 3
    assert len(first.stdout.splitlines()) < 50
    assert not re.search("warning|trace", first.stdout, re.IGNORECASE)


@pytest.fixture(scope="module")
def page(project, first):
    return (project.checkout / "reports" / "report.html").read_text()


@pytest.mark.slow
def test_main_leaves_a_report_of_itself(project, first, page):
    (main,) = project.runs(**{"workflow.step": "main"})
    assert [item.path for item in project.client.list_artifacts(main.info.run_id)] == ["report.html"]
    assert main.info.run_id in page
    assert all(run_id in page for run_id, _ in table(first.stdout).values())
    assert "mlflow run . --env-manager local -e main -P source=" in page
    assert page.count("What the search found") == 2
    # The pictures of the winner and of both searches.
    assert page.count("data:image/png;base64,") >= 12
    assert "&lt;=50K" in page
    assert len(page) < 4_000_000


@pytest.mark.slow
def test_report_fits_a_desk_and_a_phone_and_logs_nothing(page, tmp_path):
    seen = open_page(page, tmp_path)
    assert seen.console == []
    assert [window for window, _, _ in seen.windows] == [1280, 390]
    assert all(taken <= window for window, taken, _ in seen.windows)
    assert all(height > 2000 for _, _, height in seen.windows)


@pytest.mark.slow
def test_report_is_made_again_by_itself(project, first):
    (main,) = project.runs(**{"workflow.step": "main"})
    done = project.run("report", workflow=main.info.run_id)
    assert done.returncode == 0, done.stderr
    (run,) = project.runs(**{"workflow.step": "report"})
    kept = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="report.html", tracking_uri=project.uri
    )
    assert main.info.run_id in Path(kept).read_text()


@pytest.mark.slow
def test_every_step_leaves_its_artifacts(project, first):
    steps = table(first.stdout)
    expected = {
        "load_data": {"data", "dataset.yaml"},
        "eda": {"describe.csv", "describe.html", "overview.html"},
        "split": {"train", "test", "strata.csv"},
        "featurize": {"vectorizer", "train", "test"},
        "train_grid": {*SEARCH, *MODELS},
        "train_ga": {*SEARCH, "generations.csv", *MODELS},
    }
    for name, artifacts in expected.items():
        found = {item.path for item in project.client.list_artifacts(steps[name][0])}
        assert artifacts <= found, name
    assert (project.checkout / "reports" / "overview.html").is_file()


@pytest.mark.slow
def test_search_has_a_child_a_candidate_and_test_scores_for_the_winner_alone(project, first):
    search = table(first.stdout)["train_grid"][0]
    children = project.runs(**{"mlflow.parentRunId": search})
    assert {child.data.params["maxIter"] for child in children} == {"2", "4"}
    winners = [child for child in children if "test_roc_auc" in child.data.metrics]
    assert [winner.info.run_id for winner in winners] == [
        project.client.get_run(search).data.tags["winner"]
    ]
    (winner,) = winners
    folds = [json.loads(winner.data.tags[f"workflow.fold.{fold}"]) for fold in range(2)]
    tags = project.client.get_run(search).data.tags
    assert json.loads(tags["fold_scores"]) == [fold["roc_auc"] for fold in folds]
    assert (tags["metric"], tags["source"]) == ("roc_auc", "path")
    assert tags["folds_digest"].endswith(":2")
    contexts = [i.tags[0].value for i in project.client.get_run(search).inputs.dataset_inputs]
    assert contexts == ["training", "test"]


@pytest.mark.slow
def test_champion_scores_raw_records(project, first, spark, people, spec):
    mlflow.set_tracking_uri(project.uri)
    version = project.client.get_model_version_by_alias(PROJECT, "champion")
    model = mlflow.pyfunc.load_model(CHAMPION_URI)
    rows = people.drop("income").toPandas()
    scored = model.predict(rows)
    pipeline = mlflow.spark.load_model(f"runs:/{version.tags['search']}/spark-model")
    positive = vector_to_array("probability")[1].alias("probability")
    expected = pipeline.transform(people).select("prediction", positive).toPandas()
    assert scored["prediction"].tolist() == expected["prediction"].tolist()
    assert (scored["probability"] - expected["probability"]).abs().max() < 1e-5
    spark_flavour = mlflow.pyfunc.load_model(f"runs:/{version.tags['search']}/spark-model")
    assert spark_flavour.predict(rows.head(5)) == expected["prediction"].tolist()[:5]


@pytest.mark.slow
def test_champion_is_complete_by_itself(project, first, spec):
    mlflow.set_tracking_uri(project.uri)
    folder = Path(mlflow.artifacts.download_artifacts(CHAMPION_URI))
    pins = (folder / "requirements.txt").read_text().splitlines()
    pinned = [line.split()[0] for line in (ROOT / "requirements.txt").read_text().splitlines()]
    assert len(pins) == 4
    assert set(pins) <= set(pinned)
    assert "| <=50K | Female |" in (folder / "README.md").read_text()
    model = Model.load(str(folder))
    assert model.signature.inputs.input_names() == [column.name for column in spec.inputs]
    assert "Private" in model.metadata["columns"]["workclass"]["categories"]
    assert not [file for file in folder.rglob("*") if file.suffix in (".pkl", ".joblib")]


@pytest.mark.slow
def test_predict_scores_a_file_and_puts_its_bad_rows_aside(project, first, slice_file, tmp_path):
    lines = slice_file.read_text().split("\n")[:100]
    lines[10:13] = ["abc" + lines[10][2:], "39.7" + lines[11][2:], "39, Private"]
    source, output = tmp_path / "people.csv", tmp_path / "scores.csv"
    source.write_text("\n".join(lines))
    done = project.run("predict", input=source, output=output)
    assert done.returncode == 0, done.stderr
    assert f"97 of 100 rows scored by models:/{PROJECT}/" in done.stdout
    assert "on the 97 that have a label: roc_auc 0." in done.stdout
    # They are among the first hundred of the table, of which a part was trained on.
    learnt = re.search(r"the model was trained on rows equal to (\d+) of these 97: ", done.stdout)
    assert learnt, done.stdout
    assert 40 < int(learnt[1]) < 97
    assert f"Warning: 3 rows cannot be scored, put aside in file://{output}.rejected" in done.stderr
    scored = pd.concat(map(pd.read_csv, output.glob("part-*")))
    assert set(scored["prediction"]) <= {"<=50K", ">50K"}
    bad = pd.concat(map(pd.read_csv, Path(f"{output}.rejected").glob("part-*")))
    assert set(bad["reason"]) == {
        "column 'age' is 'abc', expected a whole number",
        "column 'age' is 39.7, expected a whole number",
        "has 2 fields, expected 15",
    }
    (run,) = project.runs(**{"workflow.step": "predict"})
    assert run.data.tags["model_uri"].startswith(f"models:/{PROJECT}/")
    assert (run.data.metrics["scored"], run.data.metrics["rejected"]) == (97, 3)
    right = (scored["income"].str.strip() == scored["prediction"]).mean()
    assert run.data.metrics["scored_accuracy"] == pytest.approx(right)
    assert run.inputs.dataset_inputs[0].tags[0].value == "scoring"

    again = project.run("predict", input=source, output=output)
    assert again.returncode == 1
    assert f"Error: output file://{output} exists" in again.stderr


@pytest.mark.slow
def test_second_main_reuses_every_step(project, first):
    before = {name: run for name, (run, _) in table(first.stdout).items()}
    second = project.run("main", **MAIN)
    assert second.returncode == 0, second.stderr
    assert table(second.stdout) == {name: [run, "reused"] for name, run in before.items()}


@pytest.mark.slow
def test_step_alone_starts_from_what_is_there(project, first):
    done = project.run("split", train_ratio=0.5)
    assert done.returncode == 0, done.stderr
    newest = project.runs(**{"workflow.step": "split"})[0]
    assert newest.data.tags["workflow.input.data"] == f"runs:/{table(first.stdout)['load_data'][0]}/data"
    path = mlflow.artifacts.download_artifacts(f"runs:/{newest.info.run_id}/strata.csv")
    strata = pd.read_csv(path)
    assert strata["train_count"].sum() == sum((strata["train_count"] + strata["test_count"]) // 2)
    assert len(project.runs(**{"workflow.step": "load_data"})) == 1


@pytest.mark.slow
def test_mistake_in_a_step_is_one_line_and_exit_code_1(project, tmp_path):
    path = tmp_path / "bad.data"
    path.write_text("39, x\n")
    done = project.run("main", source=path)
    assert done.returncode == 1
    assert (
        f"Error: source file://{path} has neither a header with the column 'age' nor the 15 fields"
        in done.stderr
    )
    assert "Traceback" not in done.stdout + done.stderr
