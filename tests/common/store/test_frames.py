"""Frames and pipelines in a store that Spark cannot read: S3 without Hadoop's module for it."""

import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from pyspark.ml import Pipeline
from pyspark.ml.feature import SQLTransformer, StringIndexer

from common.errors import UserError
from common.machine import copies
from common.store import artifacts, frames, kept, staging
from common.store.spark_models import load_spark_model, log_spark_model


@pytest.fixture
def far_run(store, bucket):
    """A run whose artifacts are in S3."""
    experiment = mlflow.create_experiment("far", artifact_location=bucket)
    with mlflow.start_run(experiment_id=experiment) as active:
        yield active.info.run_id


def left(folder):
    return [file for file in folder.rglob("*") if file.is_file() and file.name != copies.LOCK]


@pytest.fixture
def near_run(store):
    with mlflow.start_run() as active:
        yield active.info.run_id


@pytest.mark.parametrize("run", ["near_run", "far_run"])
def test_frame_is_read_back_as_it_was_kept(request, run, spark, people):
    run_id = request.getfixturevalue(run)
    frames.log_frame(people, "train")
    found = frames.read_frame(spark, f"runs:/{run_id}/train")
    assert sorted(found.collect(), key=str) == sorted(people.collect(), key=str)
    assert kept.has_artifacts(run_id, ["train"])


@pytest.mark.parametrize("run", ["near_run", "far_run"])
def test_frame_that_lost_a_file_is_not_read_without_it(request, run, spark, people):
    run_id = request.getfixturevalue(run)
    frames.log_frame(people.repartition(2), "train")
    kept.note_kept(run_id, ["train"])
    store = get_artifact_repository(mlflow.get_artifact_uri())
    parts = [one.path for one in store.list_artifacts("train") if one.path.endswith(".parquet")]
    store.delete_artifacts(parts[1])
    with pytest.raises(UserError, match="frame 'runs:/.*/train' cannot be read: files of it"):
        frames.read_frame(spark, f"runs:/{run_id}/train")


def test_what_is_read_is_copied_once_and_gone_at_the_end(far_run, temporary, spark, people):
    frames.log_frame(people, "train")
    frames.read_frame(spark, f"runs:/{far_run}/train")
    once = left(temporary)
    frames.read_frame(spark, f"runs:/{far_run}/train")
    artifacts.fetch(f"runs:/{far_run}/train")
    assert left(temporary) == once
    copies.remove_copies()
    assert list(temporary.iterdir()) == []


def test_read_that_fails_leaves_no_copy(far_run, temporary, spark):
    with pytest.raises(UserError, match="artifact 'runs:/.*/nope' cannot be read"):
        frames.read_frame(spark, f"runs:/{far_run}/nope")
    with pytest.raises(UserError, match="model 'runs:/.*/nope' cannot be read"):
        load_spark_model(f"runs:/{far_run}/nope")
    assert left(temporary) == []


def test_spark_model_is_kept_quietly_and_scores_the_same(far_run, temporary, spark, people, spec, capfd):
    model = Pipeline(stages=[SQLTransformer(statement="SELECT age + 1 AS older FROM __THIS__")]).fit(
        people
    )
    log_spark_model(model, "spark-model", spec, {"older": "long"})
    assert "ERROR" not in capfd.readouterr().err
    again = load_spark_model(f"runs:/{far_run}/spark-model")
    assert sorted(again.transform(people).collect()) == sorted(model.transform(people).collect())
    copies.remove_copies()
    assert list(temporary.iterdir()) == []
    # MLflow's own readers accept it too.
    assert mlflow.models.get_model_info(f"runs:/{far_run}/spark-model").flavors.keys() == {
        "spark",
        "python_function",
    }


def test_what_is_no_spark_model_is_one_line(near_run):
    mlflow.log_text("flavors: {}", "model/MLmodel")
    with pytest.raises(UserError, match="model 'runs:/.*/model' is not a Spark model"):
        load_spark_model(f"runs:/{near_run}/model")


@pytest.mark.parametrize("gone", ["stages/*/data", "stages/*/metadata", "metadata"])
def test_spark_model_of_which_a_part_is_gone_is_one_line(near_run, people, spec, gone):
    stage = StringIndexer(inputCol="sex", outputCol="index")
    model = Pipeline(stages=[stage]).fit(people)
    log_spark_model(model, "spark-model", spec, {"index": "double"})
    folder = Path(mlflow.get_artifact_uri("spark-model").removeprefix("file://"))
    (part,) = folder.glob(f"sparkml/{gone}")
    shutil.rmtree(part)
    with pytest.raises(UserError, match=r"model 'runs:/.*/spark-model' cannot be loaded: ") as error:
        load_spark_model(f"runs:/{near_run}/spark-model")
    assert "\n" not in str(error.value)


def test_rows_that_do_not_reach_the_driver_are_never_uploaded(far_run, monkeypatch, tmp_path, people):
    monkeypatch.setattr(staging, "to_driver", lambda spark, uri: Path(tmp_path, "elsewhere"))
    Path(tmp_path, "elsewhere").mkdir()
    with pytest.raises(
        UserError, match="wrote 2,000 rows .* the driver sees 0: set MLFLOW_DFS_TMP to a folder"
    ):
        frames.log_frame(people, "train")
    assert not kept.has_artifacts(far_run, ["train"])


def test_where_spark_has_the_file_system_nothing_passes_the_driver(spark, monkeypatch):
    settings = spark._jsc.hadoopConfiguration()
    assert not frames.spark_has(spark, "s3://runs/x")
    settings.set("fs.s3.impl", "org.apache.hadoop.fs.RawLocalFileSystem")
    try:
        assert frames.readable_uri(spark, "s3://runs/x") == "s3://runs/x"
    finally:
        settings.unset("fs.s3.impl")
    for scheme in ("http", "https", "mlflow-artifacts"):
        assert not frames.spark_has(spark, f"{scheme}://host/x")
    assert frames.spark_has(spark, "hdfs://host/x")


def test_input_and_output_may_be_in_the_users_home(spark, store, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert frames.absolute_uri("~/in.csv") == f"file://{tmp_path}/in.csv"
    assert frames.writable_uri(spark, "~/out.csv") == f"file://{tmp_path}/out.csv"


def test_staging_folder_is_the_one_that_mlflow_takes(spark, temporary, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_DFS_TMP", str(tmp_path / "shared mount"))
    place = staging.staging_folder(spark)
    assert place.startswith(f"file://{tmp_path}/shared mount/income-")
    spark.range(3).write.parquet(f"{place}/frame")
    assert spark.read.parquet(f"{place}/frame").count() == 3
    copies.remove_copies()
    assert list((tmp_path / "shared mount").iterdir()) == []


def test_staging_folder_that_cannot_be_is_one_line(spark, temporary, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLFLOW_DFS_TMP", str(tmp_path / "file" / "below"))
    with pytest.raises(
        UserError, match="MLFLOW_DFS_TMP=.*/file/below cannot be written: Not a directory"
    ):
        staging.staging_folder(spark)
    monkeypatch.setenv("MLFLOW_DFS_TMP", "nope://host/x")
    with pytest.raises(
        UserError, match='nope://host/x cannot be reached: .*No FileSystem for scheme "nope"'
    ):
        staging.staging_folder(spark)
