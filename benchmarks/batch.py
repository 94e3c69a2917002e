"""Three million records scored from file to file: predict, the Spark pipeline, and ONNX in one process.

python -m benchmarks.batch [--source FILE] [--rows N] [--repeats N]
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import mlflow
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.data.fetch import locate
from common.data.read import read
from common.data.reading import read_rows
from common.data.row_hash import quoted
from common.data.spec import DatasetSpec
from common.data.spec_yaml import load_spec
from common.data.stratify import stratify
from common.data.target import BINARY
from common.learning.learners import get_learner
from common.learning.vectorizer import fit_vectorizer, vectorize
from common.machine.spark import get_session
from common.machine.spark_settings import file_uri
from common.scoring.batch import score_file
from common.scoring.export import export, vocabulary
from common.scoring.kept_model import KeptModel
from common.scoring.portable_model import PROBABILITY
from common.scoring.serving import Scorer
from common.search.winner import scoring_pipeline
from common.store.portable_models import find_portable_model, log_portable_model

from .adult import SEED, copied, search_run, source_option
from .report import report

# The coarse grid's winner by weighted F1.
PARAMETERS = {"maxBins": 32, "maxDepth": 5, "maxIter": 50, "stepSize": 0.2}
FILES = 4
BATCH = 50_000  # rows scored at a time by the single process

PIPELINE, PREDICT, ALONE = "Spark pipeline's transform", "predict", "ONNX, one process"
COPY = "no scoring: Spark reads and writes"


@click.command()
@source_option
@click.option("--rows", default=3_000_000, help="Records to score.")
@click.option("--repeats", default=3, help="Runs of each method.")
def batch(source: str, rows: int, repeats: int) -> None:
    """Time each method on the same files, reading and writing included, in turns."""
    spark = get_session()
    spec = load_spec("adult")
    frame = read(spark, spec, locate(spec, source)).cache()
    with tempfile.TemporaryDirectory() as folder, search_run() as run:
        pipeline = _fit(frame, spec)
        with mlflow.start_run(run_id=run.info.run_id):
            model = _keep(pipeline, frame, spec)
        _write_input(frame, spec, rows, Path(folder, "input"))
        _write_input(frame, spec, 20_000, Path(folder, "few"))
        ways = _ways(spark, pipeline, model)
        for kind, way in ways.values():
            # A warm-up, not counted: workers start, models load and Java compiles.
            way(file_uri(Path(folder, f"few.{kind}")), file_uri(Path(folder, f"warm.{kind}")))
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        processor: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, (kind, way) in ways.items():
                # Reading CSV for one way leaves the session without it, which slows the others.
                spark.conf.set("spark.sql.codegen.wholeStage", "true")
                started, before = time.perf_counter(), _processor_seconds()
                way(file_uri(Path(folder, f"input.{kind}")), file_uri(Path(folder, f"output.{kind}")))
                seconds[name].append(time.perf_counter() - started)
                processor[name].append(_processor_seconds() - before)
                took = f"{seconds[name][-1]:.1f} s, {processor[name][-1]:.1f} s of processor time"
                click.echo(f"{name}: {took}", err=True)
    _report(ways, seconds, processor, rows)


Way = Callable[[str, str], None]


def _ways(spark: SparkSession, pipeline: PipelineModel, model: KeptModel) -> dict[str, tuple[str, Way]]:
    def predict(source: str, target: str) -> None:
        score_file(spark, model, source, target, overwrite=True)

    def transform(source: str, target: str) -> None:
        _transform(pipeline, spark.read.parquet(source)).write.mode("overwrite").parquet(target)

    def transform_csv(source: str, target: str) -> None:
        kinds = ", ".join(f"`{name}` {_ddl(kind)}" for name, kind in model.form.columns.items())
        found = spark.read.schema(kinds).csv(source, header=True)
        _transform(pipeline, found).write.mode("overwrite").csv(target, header=True)

    def copy(source: str, target: str) -> None:
        spark.read.parquet(source).write.mode("overwrite").parquet(target)

    return {
        PIPELINE: ("parquet", transform),
        PREDICT: ("parquet", predict),
        ALONE: ("parquet", lambda source, target: _score_alone(model, source, target)),
        COPY: ("parquet", copy),
        f"{PIPELINE}, CSV": ("csv", transform_csv),
        f"{PREDICT}, CSV": ("csv", predict),
    }


def _processor_seconds() -> float:
    """Return the processor time of this process, its JVM and its workers, in seconds.

    Unlike wall time, it depends little on the machine's other load.
    """
    this = psutil.Process()
    times = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return sum(found.user + found.system for found in times)


def _ddl(kind: str) -> str:
    return {"integer": "bigint"}.get(kind, kind)


def _transform(pipeline: PipelineModel, rows: DataFrame) -> DataFrame:
    names = [quoted(name) for name in rows.columns]
    positive = vector_to_array(F.col(PROBABILITY))[1].alias(PROBABILITY)
    return pipeline.transform(rows).select(*names, "prediction", positive)


def _score_alone(model: KeptModel, source: str, target: str) -> None:
    """Score Parquet in this process, on one core, without MLflow or Spark."""
    scorer = Scorer(model.pipeline)
    folder = Path(target.removeprefix("file://"))
    folder.mkdir(exist_ok=True)
    for number, file in enumerate(sorted(Path(source.removeprefix("file://")).glob("*.parquet"))):
        table = pq.read_table(file)
        scored = []
        for part in table.to_batches(max_chunksize=BATCH):
            scores = scorer.score(read_rows(part.to_pandas(), model.form).values)
            columns = [pa.array(scores[name]) for name in scores]
            scored.append(
                pa.RecordBatch.from_arrays([*part.columns, *columns], names=[*part.schema.names, *scores])
            )
        pq.write_table(pa.Table.from_batches(scored), folder / f"{number}.parquet")


def _fit(frame: DataFrame, spec: DatasetSpec) -> PipelineModel:
    train = stratify(frame, spec.strata, train_ratio=0.7, seed=SEED).train
    vectorizer = fit_vectorizer(train, spec, "onehot")
    rows = vectorize(train, vectorizer, spec).coalesce(1).cache()
    fitted = get_learner("gbt").fitting(BINARY).estimator(PARAMETERS, SEED).fit(rows)
    return scoring_pipeline(vectorizer, fitted, spec)


def _keep(pipeline: PipelineModel, frame: DataFrame, spec: DatasetSpec) -> KeptModel:
    model, _ = export(pipeline, spec, frame)
    inputs = [quoted(column.name) for column in spec.inputs]
    example = frame.select(*inputs).limit(5).toPandas()
    log_portable_model(model, "portable-model", spec, vocabulary(pipeline, spec), example, "")
    run = mlflow.active_run()
    assert run is not None
    return find_portable_model(f"runs:/{run.info.run_id}/portable-model")


def _write_input(frame: DataFrame, spec: DatasetSpec, rows: int, path: Path) -> None:
    inputs = [quoted(column.name) for column in spec.inputs]
    many = copied(frame, -(-rows // frame.count())).select(*inputs).limit(rows).repartition(FILES)
    many.write.parquet(file_uri(path.with_suffix(".parquet")))
    many.write.csv(file_uri(path.with_suffix(".csv")), header=True)


def _report(
    ways: dict[str, tuple[str, Way]],
    seconds: dict[str, list[float]],
    processor: dict[str, list[float]],
    rows: int,
) -> None:
    median = {name: statistics.median(found) for name, found in seconds.items()}
    taken = {name: statistics.median(found) for name, found in processor.items()}
    peer = {name: PIPELINE if ways[name][0] == "parquet" else f"{PIPELINE}, CSV" for name in ways}
    table = [
        {
            "scored by": name,
            "s": round(median[name], 1),
            "least": round(min(seconds[name]), 1),
            "most": round(max(seconds[name]), 1),
            "rows/s": round(rows / median[name]),
            "pipeline's s to its": round(median[peer[name]] / median[name], 2),
            "processor's s": round(taken[name], 1),
            "pipeline's to its": round(taken[peer[name]] / taken[name], 2),
        }
        for name in ways
    ]
    facts = {
        "rows": f"{rows:,}",
        "times predict is faster than the Spark pipeline": f"{median[PIPELINE] / median[PREDICT]:.2f}",
        "the same for CSV": f"{median[f'{PIPELINE}, CSV'] / median[f'{PREDICT}, CSV']:.2f}",
    }
    report("batch", table, facts)


if __name__ == "__main__":
    batch()
