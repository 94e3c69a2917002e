"""The page of a workflow whose runs are logged as by the steps, without Spark."""

import json
import re
import shlex
import shutil
from functools import partial

import mlflow
import pandas as pd
import pytest
from mlflow.utils.file_utils import local_file_uri_to_path

from common.champion.verdict import Terms
from common.data.describe import COLUMNS
from common.report.champions import UNKNOWN
from common.report.collect import collect
from common.report.render import render
from common.report.summary import summary
from common.store import tracking
from common.store.challenge import ELSEWHERE, challenge
from common.store.contest import compare_versions
from common.store.earlier_candidates import TAKEN_UP_BY
from common.store.registry import register
from common.store.step_run import PROFILED, REPEATED_ROWS
from common.store.workflow_runs import STEP_RUNS, find_workflow
from common.workflow.declaration import STEPS
from tests.common.search.searches import result, text

COLUMN = "<b>x"
DESCRIBED = {
    **dict.fromkeys(COLUMNS, ""),
    "column": COLUMN,
    "type": "string",
    "count": 1200,
    "max": "007",
    "exact": True,
    "most_frequent": "NA",
}
STRATA = "strata,train_count,test_count,test_%\n<=50K,1400,600,30.0\n>50K,500,215,30.07\n"


@pytest.fixture
def leave(store):
    """Log a finished run of a step with tags, scores, parameters and texts; returns the run."""

    def leave(step, tags=None, metrics=None, params=None, **texts):
        with mlflow.start_run(tags={tracking.STEP: step, **(tags or {})}) as active:
            mlflow.log_metrics(metrics or {})
            mlflow.log_params(params or {})
            for name, content in texts.items():
                mlflow.log_text(content, name.replace("__", ".").replace("_of_", "/"))
        return mlflow.get_run(active.info.run_id)

    return leave


@pytest.fixture
def leave_search(leave):
    def leave_search(step, features, f1, digest="rows"):
        return leave(
            step,
            {
                f"{tracking.INPUT}features": features,
                **{"learner": "gbt", "label_0": "<=50K", "label_1": ">50K", "test_digest": digest},
                **{"metric": "f1", "folds_digest": "same:2", "fold_scores": json.dumps([f1, f1])},
            },
            {
                "val_f1": f1,
                "val_f1_std": 0.01,
                "train_f1": f1,
                "test_f1": f1,
                "test_f1_label_0": f1 - 0.2,
                "guess_val_f1": 0.39,
                "guess_test_f1": 0.4,
            },
            {"best_maxDepth": 5},
            candidates__csv=text([result({"maxDepth": depth}, f1 - depth / 1e3) for depth in (5, 3)]),
            findings__md="# What the search found\n\n- **maxDepth** explains all\n",
            **{"portable-model_of_README__md": f"# Card\n\n| column |\n|---|\n| {COLUMN} |\n"},
            **{
                "portable-model_of_MLmodel": "a model",
                "plots_of_effects__png": "png",
                "plots_of_strata__png": "png",
            },
        )

    return leave_search


@pytest.fixture
def workflow(leave, leave_search):
    """A whole workflow whose second search replaced the first as champion; its runs by name."""
    runs = {"load_data": leave("load_data", {"dataset": "adult", "source": "path", "data_digest": "d1"})}
    data = {f"{tracking.INPUT}data": f"runs:/{runs['load_data'].info.run_id}/data"}
    runs["eda"] = leave("eda", data, describe__csv=pd.DataFrame([DESCRIBED]).to_csv(index=False))
    runs["split"] = leave("split", data, strata__csv=STRATA)
    runs["featurize"] = leave(
        "featurize", {f"{tracking.INPUT}split": f"runs:/{runs['split'].info.run_id}"}
    )
    features = f"runs:/{runs['featurize'].info.run_id}"
    runs["grid"] = leave_search("train_grid", features, 0.85)
    runs["ga"] = leave_search("train_ga", features, 0.86)
    runs["champion"] = enter(leave, runs["grid"], runs["ga"])
    listed = ",".join(run.info.run_id for run in runs.values())
    given = {"source": "my file.csv", "seed": "42", "folds": "3"}
    runs["main"] = leave("main", {STEP_RUNS: listed, "mlflow.source.git.commit": "c0ffee"}, params=given)
    return runs


def enter(leave, *searches):
    """Log the run of a champion step that judged searches."""
    said = {"model": "income"}
    for search in searches:
        version = register(search, "income")
        compare = partial(compare_versions, session=lambda: None)
        verdict = challenge(version, "income", Terms(None, {}), compare)
        said[f"version_{verdict.version}"] = verdict.became
    uris = ",".join(f"runs:/{search.info.run_id}" for search in searches)
    return leave("champion", {**said, f"{tracking.INPUT}candidates": uris})


def page_of(store, run="auto"):
    return collect(find_workflow(run, store))


def test_page_has_every_run_and_what_it_was_made_from(workflow, store):
    page = page_of(store)
    rows = {row[1]: row for row in page.lineage.rows}
    assert set(rows) == {run.info.run_id for run in workflow.values()}
    assert rows[workflow["eda"].info.run_id][4] == f"runs:/{workflow['load_data'].info.run_id}/data"
    assert page.title == "adult: report"


def test_champion_stands_beside_the_one_before(workflow, store):
    found = page_of(store).champion
    assert found.title == "income, version 2: gbt"
    assert "better, f1 0.860000 against 0.850000 over the same 2 folds" in found.story
    assert found.figures[1] == ("F1", "0.8600", "0.4000")
    assert found.comparison.header[:2] == ["test rows", "guessing"]
    assert ["f1 of >50K", "0.4000", "0.8500", "0.8600", "+0.0100 better"] in found.comparison.rows
    assert ["f1 of <=50K", "", "0.6500", "0.6600", "+0.0100 better"] in found.comparison.rows
    facts = dict(found.facts)
    assert facts["f1 over folds"] == "0.8600 ± 0.0100 (standard deviation; guessing 0.3900)"
    assert "version 1, gbt by train_grid" in found.compared
    assert "the same test rows, where differences may be chance" in found.compared
    assert [picture.name for picture in found.pictures] == ["strata"]


def test_scores_on_other_rows_do_not_stand_beside_each_other(workflow, leave, leave_search, store):
    newer = leave_search("train_grid", "runs:/other", 0.9, digest="other rows")
    enter(leave, newer)
    found = page_of(store).champion
    assert found.title == "income, version 3: gbt"
    assert found.comparison is None
    assert "scored on other test rows" in found.compared


def test_champion_of_another_workflow_is_told_as_such(workflow, leave, leave_search, store):
    enter(leave, leave_search("train_grid", "runs:/other", 0.9))
    page = page_of(store, workflow["main"].info.run_id)
    assert "in another workflow; see below the verdicts" in page.champion.story
    assert [row[0] for row in page.judged.table.rows] == ["1", "2"]


def test_version_of_a_deleted_ones_number_is_not_taken_for_it(workflow, leave, leave_search, store):
    mlflow.MlflowClient().delete_registered_model("income")
    enter(leave, leave_search("train_grid", "runs:/other", 0.7))
    page = page_of(store, workflow["main"].info.run_id)
    assert page.judged.table.rows == []
    assert "in another workflow" in page.champion.story


def test_first_champion_has_none_before_it(leave, leave_search, store):
    enter(leave, leave_search("train_grid", "runs:/gone", 0.85))
    found = page_of(store).champion
    assert found.comparison is None
    assert found.compared == "There was no champion before it."
    assert "Verdict: there was no champion." in found.story


def test_champion_that_another_program_made_has_no_verdict_of_ours(workflow, store):
    mlflow.MlflowClient().set_registered_model_alias("income", "champion", "1")
    page = page_of(store)
    assert page.champion.story.endswith(f"; {ELSEWHERE}.")
    assert page.champion.compared == UNKNOWN
    assert page.judged.table.rows[0][-2:] == ["champion", ELSEWHERE]


def test_search_tells_its_candidates_findings_and_pictures(workflow, store):
    grid, ga = page_of(store).searches
    assert (grid.title, ga.title) == ("train_grid of gbt", "train_ga of gbt")
    assert grid.summary[0].startswith("2 candidates, scored by f1 over 5 folds; with the refit")
    assert (
        "f1 0.8500 ± 0.0100 over folds (standard deviation; guessing 0.3900), "
        "0.8500 on the test rows (guessing 0.4000)" in (grid.summary[1])
    )
    assert grid.best.rows[0][:3] == ["3", "0.8470", ""]
    assert "explains all" in grid.findings
    assert [picture.name for picture in grid.pictures] == ["effects"]


def test_search_in_which_the_clock_was_set_back_has_no_duration(workflow, store):
    run = workflow["ga"].info
    mlflow.MlflowClient().set_terminated(run.run_id, end_time=run.start_time - 3_600_000)
    page = page_of(store, workflow["main"].info.run_id)
    (row,) = [row for row in page.lineage.rows if row[1] == run.run_id]
    assert row[3] == ""
    assert page.searches[1].summary[0] == "2 candidates, scored by f1 over 5 folds."


@pytest.mark.parametrize(
    ("status", "said", "time"), [("FAILED", "failed", "61 s, "), ("KILLED", "was killed", "")]
)
def test_page_of_what_did_not_finish_says_so(workflow, store, status, said, time):
    client = mlflow.MlflowClient()
    main, ga = workflow["main"].info, workflow["ga"].info
    assert said not in render(page_of(store, main.run_id))
    for run in (main, ga):
        client.set_terminated(run.run_id, status, end_time=run.start_time + 61_000)
    page = page_of(store, main.run_id)
    assert page.subtitle.endswith(f"UTC, {said}, commit c0ffee")
    rows = {row[1]: row for row in page.lineage.rows}
    assert rows[main.run_id][3] == rows[ga.run_id][3] == time + said
    summary = page.searches[1].summary
    assert summary[0].startswith(f"It {said}: the same command goes on")
    assert summary[1] == "2 candidates, scored by f1 over 5 folds."
    client.set_tag(ga.run_id, TAKEN_UP_BY, "heir")
    summary = page_of(store, main.run_id).searches[1].summary
    assert summary[0] == f"It {said}: run heir went on with the candidates that it finished."


def test_search_that_failed_before_its_best_was_refitted_has_no_scores_of_it(leave, store):
    table = text([result({"maxDepth": depth}, depth / 10) for depth in (5, 3)])
    run = leave("train_ga", {f"{tracking.INPUT}features": "runs:/gone"}, candidates__csv=table)
    mlflow.MlflowClient().set_terminated(run.info.run_id, "FAILED")
    (search,) = page_of(store, run.info.run_id).searches
    assert not any(line.startswith("The best") for line in search.summary)


def test_tables_show_texts_as_they_are_and_numbers_to_read(workflow, store):
    page = page_of(store)
    (row,) = page.describe.table.rows
    shown = dict(zip(page.describe.table.header, row, strict=True))
    assert (shown["column"], shown["count"], shown["max"]) == (COLUMN, "1,200", "007")
    assert shown["most_frequent"] == "NA"
    assert page.split.text.startswith("1,900 training rows and 815 test rows")


def test_commands_name_what_is_no_default(workflow, store):
    lines = [command.line for command in page_of(store).commands]
    local = "mlflow run . --env-manager local"
    assert lines[0] == "git checkout c0ffee"
    assert lines[1] == f"{local} -e main -P 'source=my file.csv' -P folds=3"
    features = f"runs:/{workflow['featurize'].info.run_id}"
    assert f"{local} -e train_grid -P features={features}" in lines
    assert lines[-1] == "make serve model=models:/income/2"


def test_commands_have_values_as_they_were_given_whatever_mlflow_makes_of_them(workflow, leave, store):
    given = {"label": "it's <b>|$HOME", "grid": '{"maxDepth": [3, 5]}', "source": "a b.csv"}
    main = workflow["main"].data.tags[STEP_RUNS]
    logged = {name: shlex.quote(value) for name, value in given.items()}
    leave("main", {STEP_RUNS: main}, params=logged)
    (line,) = [c.line for c in page_of(store).commands if c.line.endswith("use_cache=false")]
    asked = dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)
    assert {name: asked[name] for name in given} == given


def test_rows_that_have_an_equal_one_are_told_of_beside_the_split(workflow, store):
    assert "equal" not in page_of(store).split.text
    mlflow.MlflowClient().log_metric(workflow["split"].info.run_id, REPEATED_ROWS, 300)
    assert "300 of 2,715 rows have an equal one, so rows may be" in page_of(store).split.text


def test_vote_is_told_as_one_and_not_as_the_winner_of_a_search(leave, leave_search, store):
    vote = leave_search("train_grid", "runs:/f", 0.85)
    mlflow.MlflowClient().set_tag(vote.info.run_id, "members", '{"a": 0.5, "b": 0.5}')
    enter(leave, mlflow.get_run(vote.info.run_id))
    assert page_of(store).champion.story.startswith("It is a vote of several searches' winners")
    enter(leave, leave_search("train_grid", "runs:/f", 0.87))
    assert page_of(store).champion.compared.startswith(
        "The previous champion is version 1, a vote of several searches' winners (",
    )


def test_profile_is_named_only_where_there_is_one_and_as_what_it_is(workflow, leave, store):
    assert page_of(store).describe.text.endswith(f"by the run {workflow['eda'].info.run_id}.")
    client, eda = mlflow.MlflowClient(), workflow["eda"].info.run_id
    client.log_text(eda, "<html>", "overview.html")
    assert page_of(store).describe.text.endswith("which also has a profile: overview.html.")
    client.set_tag(eda, PROFILED, "a minimal profile of 100 of 1,200 rows")
    assert page_of(store).describe.text.endswith(
        "which also has a minimal profile of 100 of 1,200 rows: overview.html."
    )


def test_scores_over_the_folds_are_told_to_be_at_half_where_the_model_is_not(leave, leave_search, store):
    search = leave_search("train_grid", "runs:/f", 0.85)
    mlflow.MlflowClient().log_metric(search.info.run_id, "threshold", 0.3)
    enter(leave, mlflow.get_run(search.info.run_id))
    page = page_of(store)
    assert (
        "f1 0.8500 ± 0.0100 over folds at 0.5 (standard deviation; guessing 0.3900), "
        "0.8500 on the test rows at 0.3 (guessing 0.4000)" in page.searches[0].summary[1]
    )
    (row,) = page.judged.table.rows
    assert {"0.8500 at 0.5", "0.8500 at 0.3"} <= {*row}


def test_rendered_page_has_names_of_data_as_text_and_nothing_from_elsewhere(workflow, store):
    page = render(page_of(store))
    assert COLUMN not in page
    # In the description and in the model card.
    assert page.count("&lt;b&gt;x</td>") == 2
    loaded = re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]*)""", page)
    assert {uri.partition(":")[0] for uri in loaded if not uri.startswith("#")} == {"data"}


def test_what_was_not_done_is_a_sentence(leave, store):
    leave("load_data", {"dataset": "adult", "source": "sample"})
    page = page_of(store)
    assert page.champion.startswith("No winner of this workflow has been registered")
    assert page.searches == []
    assert "have not been split" in page.split.text
    assert "have not been explored" in page.describe.text
    assert "synthetic sample" in page.warning
    render(page)


def test_step_that_a_project_has_not_is_no_command_of_its_page(leave, store, monkeypatch):
    """The page of a project without eda told to run it."""
    leave("load_data")
    assert page_of(store).describe.text.endswith("`mlflow run . -e eda` explores them.")
    monkeypatch.delitem(STEPS, "eda")
    assert page_of(store).describe.text == "The data have not been explored."


def test_search_whose_artifacts_are_gone_still_has_its_place(leave, store):
    leave("train_grid", {"learner": "gbt", f"{tracking.INPUT}features": "runs:/gone"})
    (search,) = page_of(store).searches
    assert search.summary == ["Its table of candidates is missing."]
    assert (search.best, search.findings, search.pictures) == (None, None, [])


def test_champion_whose_files_are_gone_is_told_of(workflow, store):
    assert "gone" not in page_of(store).champion.story
    shutil.rmtree(local_file_uri_to_path(workflow["ga"].info.artifact_uri))
    assert "; but its files are gone, so it cannot be loaded. Verdict: " in page_of(store).champion.story
    assert (
        summary(find_workflow("auto", store), "report.html")
        .splitlines()[0]
        .endswith("on the test rows; but its files are gone, so it cannot be loaded.")
    )


def test_winners_whose_versions_were_deleted_are_told_of(workflow, store):
    assert page_of(store).judged.text.endswith("registered as a version of income.")
    for gone, said in ((1, "1 of 2 has been deleted since."), (2, "2 of 2 have been deleted since.")):
        mlflow.MlflowClient().delete_model_version("income", str(gone))
        judged = page_of(store).judged
        assert judged.text.endswith(f"registered as a version of income; {said}")
        assert len(judged.table.rows) == 2 - gone


def test_champion_before_that_was_deleted_is_told_of(workflow, store):
    mlflow.MlflowClient().delete_model_version("income", "1")
    found = page_of(store).champion
    assert (found.comparison, found.compared) == (
        None,
        "Version 1, the previous champion, has been deleted.",
    )


@pytest.mark.parametrize(
    ("strata", "said"),
    [
        (STRATA, "rounded down to whole rows: 30% to 30.07% of a stratum are test rows."),
        (
            "strata,train_count,test_count,test_%\na,2,1,33.33\nb,30,10,25.0\n",
            " 25% to 33.33% of a stratum",
        ),
        ("strata,train_count,test_count,test_%\na,7,3,30.0\n", "Of each stratum 30% are test rows."),
    ],
)
def test_ratio_of_the_strata_is_said_as_it_is(leave, store, strata, said):
    leave("split", strata__csv=strata)
    text = collect(find_workflow("auto", store)).split.text
    assert said in text


@pytest.mark.parametrize(
    ("learners", "said"),
    [
        (["gbt"], "1 candidate of 1 learner, scored"),
        (["gbt", "xgboost"], "2 candidates of 2 learners, scored"),
    ],
)
def test_race_is_told_in_the_number_of_its_candidates_and_learners(leave_search, store, learners, said):
    search = leave_search("train_grid", "runs:/f", 0.85)
    rows = [f"{one},3,0.8,0.8,0.9,1.5" for one in learners]
    table = "\n".join(["learner,maxDepth,val_f1,val_f1_fold_0,val_f1_fold_1,fit_seconds", *rows])
    mlflow.MlflowClient().log_text(search.info.run_id, table, "candidates.csv")
    assert page_of(store).searches[0].summary[0].startswith(said)
