"""The results of main's run in tests/test_end_to_end.py, compared with expected values."""

import io
import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from pyspark.ml.feature import MinMaxScalerModel, StringIndexerModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F
from sklearn import metrics

from common.data.target import BINARY
from common.learning.learners import get_learner
from common.learning.metrics import METRICS, sign
from common.learning.threshold import OF_THRESHOLD
from common.learning.vectorizer import LABEL
from common.search.folds import FOLD_RANK
from common.search.winner import classifier_of
from common.store import artifacts
from common.store.frames import read_frame
from common.store.spark_models import load_spark_model
from tests.project import MAIN, table

pytestmark = pytest.mark.slow
SEARCHES = ["train_grid", "train_ga"]


@pytest.fixture(scope="module")
def steps(project):
    """The run of each of main's steps; MLflow uses their store."""
    found = table(project.done_main.stdout)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(project.uri)
    yield {step: project.client.get_run(run_id) for step, (run_id, _) in found.items()}
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def rows(slice_file, spec):
    """The slice as read by pandas."""
    return pd.read_csv(slice_file, names=spec.names, skipinitialspace=True, na_values="?")


@pytest.fixture(scope="module")
def kept(steps, spark):
    """Read a frame that a step logged."""
    return lambda step, path: read_frame(spark, f"runs:/{steps[step].info.run_id}/{path}")


def read_csv(run, name):
    return pd.read_csv(io.StringIO(artifacts.read_text(f"runs:/{run.info.run_id}/{name}")))


def as_rows(frame, columns):
    """Return the rows sorted, so that they can be compared."""
    whole = frame[columns].astype(object).where(frame[columns].notna(), "missing")
    return sorted(map(tuple, whole.astype(str).to_numpy().tolist()))


def test_all_rows_are_loaded_and_each_is_on_one_side_of_the_split(kept, rows, spec):
    loaded = as_rows(kept("load_data", "data").toPandas(), spec.names)
    assert loaded == as_rows(rows, spec.names)
    sides = [kept("split", side).toPandas() for side in ("train", "test")]
    assert as_rows(pd.concat(sides), spec.names) == loaded
    strata = rows.groupby(["income", "sex"]).size()
    assert len(sides[0]) == sum(int(size) * 7 // 10 for size in strata)
    assert len(sides[1]) == len(rows) - len(sides[0])


def test_description_is_of_all_rows(steps, rows):
    found = read_csv(steps["eda"], "describe.csv").set_index("column")
    assert (found["count"] + found["null"] == len(rows)).all()
    assert found["count"].to_dict() == rows.count().to_dict()
    for name in ("age", "fnlwgt", "capital-gain"):
        assert float(found.loc[name, "mean"]) == pytest.approx(rows[name].mean())
        assert float(found.loc[name, "stddev"]) == pytest.approx(rows[name].std())


def test_vectoriser_knows_the_training_rows_alone(steps, kept, spec):
    vectorizer = load_spark_model(f"runs:/{steps['featurize'].info.run_id}/vectorizer")
    train, test = (kept("split", side).toPandas() for side in ("train", "test"))
    (indexer,) = (stage for stage in vectorizer.stages if isinstance(stage, StringIndexerModel))
    (scaler,) = (stage for stage in vectorizer.stages if isinstance(stage, MinMaxScalerModel))
    unseen = 0
    for name, labels in zip(spec.names_of("category"), indexer.labelsArray, strict=True):
        of_train, of_test = (
            side[name].astype(object).fillna("(missing)").astype(str) for side in (train, test)
        )
        assert set(labels) == set(of_train), name
        counts = of_train.value_counts()
        assert [counts[label] for label in labels] == sorted(counts, reverse=True)
        unseen += len(set(of_test) - set(labels))
    numbers = spec.names_of("numeric")
    assert scaler.originalMin.toArray().tolist() == train[numbers].min().tolist()
    assert scaler.originalMax.toArray().tolist() == train[numbers].max().tolist()
    # Otherwise test rows among the training rows would go unnoticed.
    assert unseen > 0


@pytest.mark.parametrize("side", ["train", "test"])
def test_features_are_those_rows_with_their_label(kept, spec, side):
    before, after = (kept(step, side).toPandas() for step in ("split", "featurize"))
    assert as_rows(after, spec.names) == as_rows(before, spec.names)
    assert (after[LABEL] == (after["income"] == ">50K")).all()


@pytest.fixture(scope="module", params=SEARCHES)
def search(request, steps, project):
    """The run of a search, and the runs of its candidates."""
    run = steps[request.param]
    candidates = project.runs(**{"workflow.search": run.info.run_id, "workflow.step": "candidate"})
    return run, candidates


def test_winner_is_the_best_of_all_candidates_over_the_folds(search):
    run, candidates = search
    metric = run.data.tags["metric"]
    means = {one.info.run_id: sign(metric) * one.data.metrics[f"val_{metric}"] for one in candidates}
    assert len(set(means.values())) > 1
    winner = run.data.tags["winner"]
    assert means[winner] == max(means.values())
    assert run.data.metrics[f"val_{metric}"] == sign(metric) * max(means.values())
    assert [one.info.run_id for one in candidates if "winner" in one.data.tags] == [winner]
    best = json.loads(artifacts.read_text(f"runs:/{run.info.run_id}/best_parameters.json"))
    params = next(one for one in candidates if one.info.run_id == winner).data.params
    assert {name: params[name] for name in best} == {name: str(value) for name, value in best.items()}
    assert {f"best_{name}": str(value) for name, value in best.items()}.items() <= run.data.params.items()


def test_table_of_candidates_is_what_their_runs_say(search):
    run, candidates = search
    metric = run.data.tags["metric"]
    found = read_csv(run, "candidates.csv")
    assert len(found) == len(candidates)
    means = sorted(sign(metric) * one.data.metrics[f"val_{metric}"] for one in candidates)
    assert (sign(metric) * found[f"val_{metric}"]).tolist() == pytest.approx(means[::-1])
    folds = found[[f"val_{metric}_fold_{fold}" for fold in range(MAIN["folds"])]]
    assert folds.mean(axis=1).tolist() == pytest.approx(found[f"val_{metric}"].tolist())


def test_best_score_of_each_generation_is_that_of_its_candidates(steps, project):
    run = steps["train_ga"]
    metric, table = run.data.tags["metric"], read_csv(run, "generations.csv")
    assert table["best_so_far"].iloc[-1] == pytest.approx(run.data.metrics[f"val_{metric}"])
    so_far = (sign(metric) * table["best"]).cummax()
    assert (sign(metric) * table["best_so_far"]).tolist() == pytest.approx(so_far.tolist())
    candidates = read_csv(run, "candidates.csv")
    drawn = candidates["generations"].astype(str).str.split()
    for number, row in table.iterrows():
        there = candidates[[str(number) in one for one in drawn]][f"val_{metric}"]
        ends = sorted((there.max(), there.min()), key=lambda value: -sign(metric) * value)
        assert (row["best"], row["worst"]) == pytest.approx(tuple(ends))


@pytest.mark.parametrize("side", ["train", "test"])
def test_logged_scores_are_those_of_the_kept_pipeline_on_the_kept_rows(search, kept, project, side):
    run, _ = search
    pipeline = load_spark_model(f"runs:/{run.info.run_id}/spark-model")
    positive = vector_to_array("probability")[1].alias("probability")
    scored = pipeline.transform(kept("split", side)).select("income", "prediction", positive).toPandas()
    truth, said = scored["income"] == ">50K", scored["prediction"] == ">50K"
    expected = {
        "accuracy": metrics.accuracy_score(truth, said),
        "roc_auc": metrics.roc_auc_score(truth, scored["probability"]),
        "log_loss": metrics.log_loss(truth, scored["probability"]),
        "f1": metrics.f1_score(truth, said),
        "precision": metrics.precision_score(truth, said, zero_division=0),
        "recall": metrics.recall_score(truth, said),
    }
    guess = max(truth.mean(), 1 - truth.mean())
    for run_id in (run.info.run_id, run.data.tags["winner"]):
        logged = project.client.get_run(run_id).data.metrics
        assert {f"{side}_{name}" for name in METRICS} <= logged.keys()
        for name, value in expected.items():
            assert logged[f"{side}_{name}"] == pytest.approx(value, abs=1e-9), name
        if side == "test":
            assert logged["guess_test_accuracy"] == pytest.approx(guess)
    other = {"train": "test", "test": "train"}[side]
    assert run.data.metrics[f"{side}_log_loss"] != run.data.metrics[f"{other}_log_loss"]


def test_winner_is_fitted_with_its_parameters_on_all_training_rows(search, kept):
    run, _ = search
    pipeline = load_spark_model(f"runs:/{run.info.run_id}/spark-model")
    model = classifier_of(pipeline)
    best = json.loads(artifacts.read_text(f"runs:/{run.info.run_id}/best_parameters.json"))
    assert {name: model.getOrDefault(name) for name in best} == best
    assert model.getOrDefault("seed") == int(run.data.params["seed"])
    root = model.trees[0]._java_obj.rootNode()
    assert root.impurityStats().rawCount() == kept("split", "train").count()


def test_candidate_is_scored_on_the_rows_that_its_fit_left_out(steps, kept, project):
    """Refit the winner on each fold with Spark's own estimator: the logged scores are nearly the same."""
    run = steps["train_grid"]
    frame = kept("featurize", "train").cache()
    model = classifier_of(load_spark_model(f"runs:/{run.info.run_id}/spark-model"))
    history = project.client.get_metric_history(run.data.tags["winner"], "val_accuracy")
    logged = {metric.step: metric.value for metric in history}
    best = json.loads(artifacts.read_text(f"runs:/{run.info.run_id}/best_parameters.json"))
    estimator = get_learner("gbt").fitting(BINARY).estimator(best, model.getOrDefault("seed"))
    for fold in range(MAIN["folds"]):
        left_out = F.col(FOLD_RANK) % MAIN["folds"] == fold
        fitted = estimator.fit(frame.where(~left_out))
        said = fitted.transform(frame.where(left_out))
        right = said.agg(F.avg((F.col("prediction") == F.col(LABEL)).cast("double"))).first()[0]
        assert logged[fold] == pytest.approx(right, abs=0.004)
    assert logged[MAIN["folds"]] == pytest.approx(np.mean([logged[f] for f in range(MAIN["folds"])]))


def test_scores_at_the_threshold_are_those_by_which_it_was_chosen(search):
    run, _ = search
    metrics, by = run.data.metrics, run.data.tags["threshold_metric"]
    assert metrics[f"at_threshold_{by}"] == pytest.approx(metrics["threshold_score"])
    assert set(OF_THRESHOLD) == {
        name.removeprefix("at_threshold_") for name in metrics if name.startswith("at_threshold_")
    }


def test_champion_carries_the_scores_of_its_search(project, steps):
    version = project.client.get_model_version_by_alias("income", "champion")
    search = project.client.get_run(version.tags["search"])
    assert search.info.run_id in {steps[name].info.run_id for name in SEARCHES}
    scores = {name: value for name, value in search.data.metrics.items() if name.startswith("test_")}
    assert len(scores) == len(METRICS)
    assert {name: float(version.tags[name]) for name in scores} == scores
    # There may be later runs, if the tests of the commands ran first.
    main = min(project.runs(**{"workflow.step": "main"}), key=lambda run: run.info.start_time)
    told = {name: value for name, value in main.data.metrics.items() if "champion_test_" in name}
    assert told == {f"champion_{name}": pytest.approx(value) for name, value in scores.items()}
