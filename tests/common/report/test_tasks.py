"""The page and the description of workflows that predict one of several labels, or a number."""

import json
from functools import partial
from statistics import fmean

import mlflow
import pytest

from common.champion.verdict import Terms
from common.learning.tasks import TASKS
from common.report.champions import FIGURES
from common.report.collect import collect
from common.report.render import render
from common.report.summary import summary
from common.search.result import CandidateResult, candidates_table
from common.store import tracking
from common.store.challenge import challenge, set_champion
from common.store.contest import compare_versions
from common.store.registry import register
from common.store.workflow_runs import find_workflow

RMSE = {"rmse": 54321.9, "mae": 40000.25, "r2": 0.8125, "median_absolute_error": 12.5}
GUESS = {"rmse": 98765.4, "mae": 70000.0, "r2": 0.0, "median_absolute_error": 60000.0}
CLASSES = {"log_loss": 0.5, "accuracy": 0.8, "roc_auc": 0.9, "f1_macro": 0.7, "f1_weighted": 0.75}


def candidates(metric, scores):
    results = [
        CandidateResult({"maxDepth": depth}, tuple({metric: score + extra} for score in scores), 1.0)
        for depth, extra in ((5, 0.0), (3, 1000.0 if metric == "rmse" else 0.1))
    ]
    return candidates_table(results, metric).to_csv(index=False)


def leave(step, tags, metrics=None, **texts):
    with mlflow.start_run(tags={tracking.STEP: step, **tags}) as active:
        mlflow.log_metrics(metrics or {})
        for name, content in texts.items():
            mlflow.log_text(content, name.replace("__", ".").replace("_of_", "/"))
    return mlflow.get_run(active.info.run_id)


def leave_search(task, labels, metric, found, guess, scores, rows="rows"):
    names = {f"label_{place}": label for place, label in enumerate(labels[:10])}
    tags = {
        **{f"{tracking.INPUT}features": "runs:/gone", "learner": "xgboost", "test_digest": rows},
        **{"task": task, "labels": str(len(labels)), "labels_digest": ",".join(labels), **names},
        **{"metric": metric, "folds_digest": "same:2", "fold_scores": json.dumps(scores)},
    }
    metrics = {f"test_{name}": value for name, value in found.items()}
    metrics |= {f"guess_test_{name}": value for name, value in guess.items()}
    metrics |= {f"val_{metric}": fmean(scores), f"val_{metric}_std": 12.3456}
    metrics |= {f"guess_val_{metric}": guess[metric], f"train_{metric}": found[metric]}
    pictures = {f"plots_of_{name}__png": "png" for name in ("predicted", "areas", "recall", "effects")}
    return leave(
        *("train_grid", tags, metrics),
        candidates__csv=candidates(metric, scores),
        **{"portable-model_of_MLmodel": "a model", **pictures},
    )


def enter(*searches):
    said = {"model": "toy"}
    for search in searches:
        compare = partial(compare_versions, session=lambda: None)
        verdict = challenge(register(search, "toy"), "toy", Terms(None, {}), compare)
        said[f"version_{verdict.version}"] = verdict.became
    uris = ",".join(f"runs:/{search.info.run_id}" for search in searches)
    return leave("champion", {**said, f"{tracking.INPUT}candidates": uris})


@pytest.fixture
def of_numbers(store):
    """A workflow whose second search replaced the first, by a lower error."""
    worse = {**RMSE, "rmse": 60000.0, "r2": 0.8125}
    searches = [
        leave_search("regression", (), "rmse", worse, GUESS, [60000.0, 61000.0]),
        leave_search("regression", (), "rmse", RMSE, GUESS, [54321.9, 55000.0]),
    ]
    enter(*searches)
    return find_workflow("auto", store)


def test_champion_of_a_number_is_shown_by_its_errors(of_numbers):
    page = collect(of_numbers)
    found = page.champion
    assert found.title == "toy, version 2: xgboost"
    assert found.figures == [
        ("RMSE", "54,322", "98,765"),
        ("MAE", "40,000", "70,000"),
        ("median absolute error", "12.500", "60,000"),
        ("R²", "0.8125", "0.0000"),
    ]
    facts = dict(found.facts)
    assert facts["predicts"] == "a number"
    assert facts["rmse over folds"] == "54,661 ± 12.346 (standard deviation; guessing 98,765)"
    assert ["rmse", "98,765", "60,000", "54,322", "-5678.1 better"] in found.comparison.rows
    assert ["r2", "0.0000", "0.8125", "0.8125", "same"] in found.comparison.rows
    assert "better, rmse 54660.95 against 60500.00 over the same 2 folds" in found.story
    assert [picture.name for picture in found.pictures] == ["areas", "recall", "predicted"]
    assert [row[3:7] for row in page.judged.table.rows][1] == ["rmse", "54,661", "54,322", "98,765"]
    (search,) = [one for one in page.searches if "54,661" in one.summary[1]]
    assert (
        "rmse 54,661 ± 12.346 over folds (standard deviation; guessing 98,765), 54,322 on the test rows"
        in search.summary[1]
    )
    assert [picture.name for picture in search.pictures] == ["effects"]
    assert search.best.rows[1][1:3] == ["55,661", "1000.0 ± 0.0000"]
    assert "54,322" in render(page)


def test_description_tells_the_number_by_its_size(of_numbers):
    first, *_ = summary(of_numbers, "report.html").splitlines()
    assert first.endswith("rmse 54,322 (guessing 98,765) on the test rows.")
    assert "the best xgboost has rmse 54,661 over the folds" in summary(of_numbers, "report.html")


def test_champion_of_several_labels_names_them(store):
    guess = dict.fromkeys(CLASSES, 0.25)
    labels = tuple(f"kind {place}" for place in range(12))
    enter(leave_search("multiclass", labels, "log_loss", CLASSES, guess, [0.5, 0.6]))
    found = collect(find_workflow("auto", store)).champion
    assert found.figures[0] == ("log loss", "0.5000", "0.2500")
    assert [name for name, *_ in found.figures] == [
        *("log loss", "accuracy", "mean F1 of the labels", "ROC AUC")
    ]
    said = dict(found.facts)["predicts"]
    assert said.startswith("one of 12 labels: kind 0, kind 1, ")
    assert said.endswith("kind 9 and 2 more")


def test_champion_that_predicted_something_else_is_not_set_beside(store):
    guess = dict.fromkeys(CLASSES, 0.25)
    older = leave_search("multiclass", ("a", "b", "c"), "log_loss", CLASSES, guess, [0.5, 0.6])
    newer = leave_search("multiclass", ("a", "b", "d"), "log_loss", CLASSES, guess, [0.4, 0.5])
    number = leave_search("regression", (), "rmse", RMSE, GUESS, [5.0, 6.0])
    judged = enter(older, newer, number)
    assert [judged.data.tags[f"version_{n}"] for n in (1, 2, 3)] == [
        "champion",
        "challenger",
        "challenger",
    ]
    page = collect(find_workflow("auto", store))
    whys = [row[-1] for row in page.judged.table.rows]
    assert whys[1].startswith("it predicts other labels than champion 1; version=2 makes it champion")
    assert whys[2].startswith("it predicts a number, champion 1 one of 3 labels; version=3 makes")
    set_champion("toy", "3")
    found = collect(find_workflow("auto", store)).champion
    assert found.comparison is None
    assert found.compared.endswith("It predicted something else.")


def test_version_from_before_there_were_tasks_has_two_labels(store):
    search = leave_search("binary", ("no", "yes"), "f1", {"f1": 0.7}, {"f1": 0.4}, [0.7, 0.7])
    for tag in ("task", "labels", "labels_digest"):
        mlflow.MlflowClient().delete_tag(search.info.run_id, tag)
    enter(mlflow.get_run(search.info.run_id))
    found = collect(find_workflow("auto", store)).champion
    assert [name for name, *_ in found.figures] == ["ROC AUC", "F1", "accuracy", "log loss"]
    assert found.figures[1] == ("F1", "0.7000", "0.4000")
    assert dict(found.facts)["predicts"] == "one of two labels: no, yes"


def test_every_task_has_its_figures_from_its_own_metrics():
    assert FIGURES.keys() == TASKS.keys()
    for task, names in FIGURES.items():
        assert set(names) <= set(TASKS[task].metrics)
