"""Save a Spark pipeline by copying those of its stages that are in files already.

Spark writes each stage by one or two jobs. Most stages of a search's pipeline are those of the vectoriser
that it has loaded.

Source: the format of Spark's `PipelineModel.save`, which loads it.
"""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyspark
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.param import Param
from pyspark.ml.util import JavaMLWritable

# The attribute with a stage's folder, which copies of the stage have too.
FOLDER = "_income_folder"
METADATA = "metadata"
PIPELINE = "org.apache.spark.ml.PipelineModel"
LOCAL = "file://"


def remember(stage: Transformer, folder: Path) -> None:
    """Note where a stage's files are; later changes of its parameters are found when it is saved."""
    setattr(stage, FOLDER, folder)


def remember_stages(pipeline: PipelineModel, folder: Path) -> None:
    """Note where a pipeline's files are."""
    for place, stage in enumerate(pipeline.stages):
        remember(stage, _folder_of(folder, pipeline.stages, place))


def save_pipeline(pipeline: PipelineModel, path: str) -> None:
    """Save a pipeline as Spark does; to a local folder, stages whose files are known are copied.

    Args:
        pipeline: The pipeline.
        path: A URI, in which nothing is escaped, as Hadoop has it.
    """
    # Spark marks a pipeline with a stage of Python's in its metadata.
    java = all(isinstance(stage, JavaMLWritable) for stage in pipeline.stages)
    if not path.startswith(LOCAL) or not java:
        PipelineModel.save(pipeline, path)
        return
    folder = Path(path.removeprefix(LOCAL))
    uids = {"stageUids": [stage.uid for stage in pipeline.stages]}
    write_text(folder / METADATA, metadata(PIPELINE, pipeline.uid, uids))
    for place, stage in enumerate(pipeline.stages):
        saved, target = getattr(stage, FOLDER, None), _folder_of(folder, pipeline.stages, place)
        if saved is None or not saved.is_dir():
            of_java: Any = stage
            of_java.save(f"{path}/{target.relative_to(folder).as_posix()}")
        else:
            _copy(stage, saved, target)


def metadata(
    kind: str,
    uid: str,
    parameters: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
    **more: object,
) -> str:
    """Return the metadata of a stage or a pipeline as Spark writes them.

    Args:
        kind: Name of its class in Spark.
        uid: Its id.
        parameters: Its parameters that are set.
        defaults: The defaults of its parameters.
        more: What else its class keeps there.
    """
    described = {
        "class": kind,
        "timestamp": int(time.time() * 1000),
        "sparkVersion": pyspark.__version__,
        "uid": uid,
        "paramMap": dict(parameters),
        "defaultParamMap": dict(defaults or {}),
    }
    return json.dumps({**described, **more})


def write_text(folder: Path, text: str) -> None:
    """Write a line as Spark writes a frame of one text."""
    folder.mkdir(parents=True)
    (folder / "part-00000").write_text(text + "\n", encoding="utf-8")
    (folder / "_SUCCESS").touch()


def _folder_of(folder: Path, stages: Sequence[Any], place: int) -> Path:
    digits = len(str(len(stages)))
    return folder / "stages" / f"{place:0{digits}d}_{stages[place].uid}"


def _copy(stage: Any, saved: Path, target: Path) -> None:
    """Copy a stage's files, with the parameters that the stage has now."""
    for file in saved.rglob("*"):
        within = file.relative_to(saved)
        if file.is_file() and within.parts[0] != METADATA:
            # Not the folders' modes: a store may be one that nobody writes to.
            (target / within).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / within)
    (part,) = (saved / METADATA).glob("part-*")
    described = json.loads(part.read_text(encoding="utf-8"))
    described["paramMap"] = {
        parameter.name: _encoded(stage, parameter, value) for parameter, value in stage._paramMap.items()
    }
    write_text(target / METADATA, json.dumps(described))


def _encoded(stage: Any, parameter: Param[Any], value: object) -> object:
    # Spark has forms of its own for values that JSON lacks.
    pair = stage._make_java_param_pair(parameter, value)
    return json.loads(pair.param().jsonEncode(pair.value()))
