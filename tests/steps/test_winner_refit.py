"""A search's winner, fitted by the engine or by Spark's estimator, by the step's own command."""

import json
from statistics import fmean

import mlflow
import pytest
from click.testing import CliRunner

from common.learning.fittings import REFIT_AUTO, REFIT_MLLIB
from common.search import refit
from common.search.engines.boosting.agreement import RefitError
from common.search.winner import classifier_of
from common.store import artifacts, kept, pipelines, tracking
from common.store.registry import NOTES, THRESHOLD_SCORES
from common.store.spark_models import load_spark_model
from steps.train_grid import train_grid
from tests.stores import step_caller

GRID = '{"maxDepth": [2], "maxIter": [3]}'
BY = {REFIT_AUTO: "the boosting engine", REFIT_MLLIB: "Spark's GBTClassifier"}


@pytest.mark.slow
def test_run_card_and_output_say_who_fitted_the_winner(kept_store, features, spec, monkeypatch):
    monkeypatch.setattr(pipelines, "caveats", lambda *given: [f"first is {given[-1].index[0]}", "more"])
    scores = {}
    for asked, by in BY.items():
        said, uri = step_caller(kept_store)(
            train_grid, features=features, grid=GRID, folds=2, refit=asked, metric="f1"
        )
        run = tracking.get_run(uri)
        assert run.data.tags["engine"] == "boosting"
        assert run.data.tags["fitted_by"] == by
        at_threshold, metrics = json.loads(run.data.tags[THRESHOLD_SCORES]), run.data.metrics
        assert len(at_threshold) == 2
        assert fmean(at_threshold) == pytest.approx(metrics["at_threshold_f1"], abs=0.02)
        assert fmean(at_threshold) > metrics["val_f1"]
        assert f"fitted by {by}, a GBTClassificationModel" in said
        assert ("on 1,200 rows" in said) == (asked == REFIT_AUTO)
        card = artifacts.read_text(f"{uri}/portable-model/README.md")
        assert f"- fitted on all training rows by {by}\n" in card
        noted, _ = run.data.tags[NOTES].splitlines()
        assert noted.removeprefix("first is ") in spec.names
        assert f"note: {noted}\nnote: more\n" in said
        assert f"\n- {noted}\n- more\n" in card
        model = classifier_of(load_spark_model(f"{uri}/spark-model"))
        assert (model.getNumTrees, model.getOrDefault("maxDepth")) == (3, 2)
        scores[asked] = {n: v for n, v in run.data.metrics.items() if n.startswith(("test_", "train_"))}
    # The same trees, to rounding and ties.
    assert scores[REFIT_AUTO] == pytest.approx(scores[REFIT_MLLIB], abs=0.02)


@pytest.mark.slow
def test_model_that_differs_from_the_engines_is_not_kept(kept_store, features, monkeypatch):
    right = refit.spark_model

    def wrong(fit, *rest):
        fit.weights[1] *= 1.001
        return right(fit, *rest)

    monkeypatch.setattr(refit, "spark_model", wrong)
    options = ["--features", features, "--grid", GRID, "--folds", "2"]
    result = CliRunner().invoke(train_grid, options)
    assert isinstance(result.exception, RefitError)
    assert "of 1,200 rows, Spark's model has another margin" in str(result.exception)
    query = f"tags.`{tracking.STEP}` = 'train_grid' and attributes.status = 'FAILED'"
    (run,) = mlflow.MlflowClient().search_runs([kept_store], query)
    assert not kept.has_artifacts(run.info.run_id, ["spark-model"])
