import shutil
from pathlib import Path

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import Binarizer, Imputer, OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.ml.util import DefaultParamsReader

from common.learning.saved_stages import FOLDER, remember_stages, save_pipeline
from common.machine.spark_settings import file_uri

ROWS = [(age, None if age % 5 == 0 else age / 3, "ab"[age % 2], float(age > 40)) for age in range(20, 70)]


@pytest.fixture(scope="module")
def frame(spark):
    return spark.createDataFrame(ROWS, "age int, hours double, sex string, label double")


@pytest.fixture(scope="module")
def fitted(frame):
    """A pipeline with stages that have data of their own, and such as have none."""
    stages = [
        Imputer(inputCols=["hours"], outputCols=["filled"], missingValue=float("nan")),
        StringIndexer(inputCol="sex", outputCol="index", handleInvalid="keep"),
        OneHotEncoder(inputCols=["index"], outputCols=["coded"]),
        VectorAssembler(inputCols=["age", "filled", "coded"], outputCol="features"),
        LogisticRegression(thresholds=[0.4, 0.6], maxIter=5),
    ]
    return Pipeline(stages=stages).fit(frame)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    """The folder of its files, which Spark takes a second to write."""
    folder = tmp_path_factory.mktemp("saved") / "it's 100% a%20b #c"
    fitted.save(file_uri(folder))
    return folder


@pytest.fixture
def loaded(saved, tmp_path):
    """The same pipeline, loaded from files of its own."""
    folder = shutil.copytree(saved, tmp_path / saved.name)
    found = PipelineModel.load(file_uri(folder))
    remember_stages(found, folder)
    return found


@pytest.fixture
def written(monkeypatch):
    """The classes of the stages that Spark writes."""
    found = []

    def watch(kind):
        save = kind.save

        def noted(self, path):
            found.append(kind)
            save(self, path)

        monkeypatch.setattr(kind, "save", noted)

    for kind in (Binarizer, VectorAssembler):
        watch(kind)
    return found


def again(pipeline, folder):
    save_pipeline(pipeline, file_uri(folder))
    return PipelineModel.load(file_uri(folder))


def parameters(pipeline):
    return [
        {parameter.name: str(value) for parameter, value in stage._paramMap.items()}
        for stage in pipeline.stages
    ]


def files(folder):
    return {path.name for path in folder.rglob("*.parquet")}


def test_copied_stages_are_those_that_were_loaded(loaded, fitted, frame, tmp_path, written):
    found = again(loaded, tmp_path / "a%20b ü" / "new#?")
    assert written == []
    assert parameters(found) == parameters(loaded)
    assert [stage.uid for stage in found.stages] == [stage.uid for stage in fitted.stages]
    assert found.transform(frame).collect() == fitted.transform(frame).collect()
    # No file is Spark's anew.
    assert files(tmp_path / "a%20b ü") == files(tmp_path / "it's 100% a%20b #c") != set()


def test_stage_without_files_is_written_beside_the_others(loaded, frame, tmp_path, written):
    above = Binarizer(inputCol="label", outputCol="above", threshold=0.5)
    found = again(PipelineModel([*loaded.stages, above]), tmp_path / "new")
    assert written == [Binarizer]
    assert parameters(found)[:-1] == parameters(loaded)
    above = found.transform(frame).select("above", "label").collect()
    assert [row.above for row in above] == [row.label for row in above]


def test_parameters_that_have_changed_since_are_saved(loaded, frame, tmp_path):
    model = loaded.stages[-1]
    changed = model.copy({model.getParam("predictionCol"): "other", model.thresholds: [0.9, 0.1]})
    found = again(PipelineModel([*loaded.stages[:-1], changed]), tmp_path / "new")
    assert found.stages[-1].getPredictionCol() == "other"
    assert found.stages[-1].getThresholds() == [0.9, 0.1]
    assert found.transform(frame).select("other").collect() == (
        PipelineModel([*loaded.stages[:-1], changed]).transform(frame).select("other").collect()
    )
    assert model.getPredictionCol() == "prediction"


def test_more_than_nine_stages_stand_in_their_order(loaded, frame, tmp_path):
    more = [Binarizer(inputCol="label", outputCol=f"above {n}", threshold=float(n)) for n in range(8)]
    found = again(PipelineModel([*loaded.stages, *more]), tmp_path / "new")
    assert [stage.uid for stage in found.stages[-8:]] == [stage.uid for stage in more]
    assert len(again(PipelineModel(found.stages), tmp_path / "newer").stages) == 13


def test_stage_whose_files_are_gone_is_written(loaded, tmp_path, written):
    setattr(loaded.stages[3], FOLDER, tmp_path / "gone")
    found = again(loaded, tmp_path / "new")
    assert written == [VectorAssembler]
    assert parameters(found) == parameters(loaded)


def test_metadata_is_what_spark_writes(spark, loaded, tmp_path):
    loaded.save(file_uri(tmp_path / "theirs"))
    save_pipeline(PipelineModel(loaded.stages), file_uri(tmp_path / "ours"))
    folders = [
        Path(),
        *(Path("stages", folder.name) for folder in Path(tmp_path, "ours", "stages").iterdir()),
    ]
    assert len(folders) == 6
    for folder in folders:
        ours, theirs = (
            DefaultParamsReader.loadMetadata(file_uri(tmp_path / side / folder), spark)
            for side in ("ours", "theirs")
        )
        for found in (ours, theirs):
            found.pop("timestamp")
            # Spark makes up a new name each time that a stage is loaded.
            found["defaultParamMap"].pop("outputCol", None)
        # The pipeline's own differs: `loaded` is another object.
        assert folder != Path() or ours.pop("uid") != theirs.pop("uid")
        assert ours == theirs


def test_files_that_nobody_may_write_to_are_copied(loaded, frame, fitted, tmp_path):
    for path in (tmp_path / "it's 100% a%20b #c").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    found = again(loaded, tmp_path / "new")
    assert found.transform(frame).collect() == fitted.transform(frame).collect()
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "new").rglob("*"))
