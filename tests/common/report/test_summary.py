"""The description of main's run, made from stand-ins for the runs of its steps."""

import mlflow
import pytest
from mlflow import MlflowClient

from common.report.summary import summary
from common.store import tracking
from common.store.workflow_runs import WorkflowRuns


@pytest.fixture
def leave(store):
    """Log a finished run of a step; returns the run."""

    def leave(step, metrics=None, **tags):
        with mlflow.start_run(tags={tracking.STEP: step, **tags}) as active:
            mlflow.log_metrics(metrics or {})
        return mlflow.get_run(active.info.run_id)

    return leave


@pytest.fixture
def workflow(leave):
    search = leave("train_grid", {"val_f1": 0.7}, metric="f1", learner="gbt")
    return WorkflowRuns(
        **{"main": leave("main"), "load_data": leave("load_data"), "eda": None, "split": None},
        **{"featurize": None, "searches": (search,), "champion": leave("champion", model="income")},
    )


def run_address(run, path=""):
    shown = "?workflowType=machine_learning"
    return f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}{path}{shown}"


def test_page_links_report_searches_and_steps(workflow):
    main, search, load_data = workflow.main, workflow.searches[0], workflow.load_data
    assert summary(workflow, "report.html").splitlines() == [
        f"- [Report]({run_address(main, '/artifacts/report.html')}): all of this workflow on one page.",
        f"- [train_grid]({run_address(search)}): the best gbt has f1 0.7000 over the folds; "
        "its page says what was found.",
        f"- The other steps: [load_data]({run_address(load_data)}), "
        f"[champion]({run_address(workflow.champion)}).",
    ]


def test_page_begins_with_the_champion(workflow):
    client = MlflowClient()
    client.create_registered_model("income")
    tags = {"metric": "f1", "test_f1": "0.71", "guess_test_f1": "0.4"}
    client.create_model_version("income", "file:///nowhere", tags=tags)
    client.set_registered_model_alias("income", "champion", "1")
    assert summary(workflow, "report.html").splitlines()[0] == (
        "- Champion: [income, version 1](#/models/income/versions/1?workflowType=machine_learning): "
        "f1 0.7100 (guessing 0.4000) on the test rows."
    )
